import { existsSync, readFileSync } from 'node:fs';
import { libbpf, options } from '../native/libbpf.ts';
import { errorText, libc } from '../native/libc.ts';
import { addressOf } from '../native/memory.ts';
import { type PerfEventAttr, perfEventOpen, softwareClock } from '../native/perf-event.ts';
import { mayTrace } from '../system/capabilities.ts';
import { hookType } from './hook-type.ts';
import { KERNEL_BTF } from './kernel-btf.ts';
import { withLog } from './log.ts';
import { ATTACH, PROG } from './program-types.ts';
import { linkUserPlaces } from './user-multi.ts';

/** Yes, no, or cannot be told (undefined: not permitted to try, or out of memory or descriptors), with the reason for anything but yes. */
export interface FeatureAnswer {
  readonly supported: boolean | undefined;
  readonly reason: string;
}

export type Feature = keyof typeof probes;

const yes: FeatureAnswer = { supported: true, reason: '' };

const MAP = { HASH: 1, RINGBUF: 27 };

const EBADF = -9;
const BPF_F_SLEEPABLE = 16;
const PERF_EVENT_IOC_SET_BPF = 0x40042408;

// ENOMEM, ENFILE and EMFILE: they say something about this moment, not about the kernel.
const SHORT_OF = new Set([12, 23, 24]);

// Every kernel that can trace functions at all has these two: the first exists for such tests.
const TRACED_FUNCTION = 'bpf_fentry_test1';
const PROBED_FUNCTION = 'vfs_read';

const exit = [0x95, 0, 0, 0, 0, 0, 0, 0];
/** `r0 = 0; exit`: the smallest program, which every program type accepts. */
const returnZero = Uint8Array.of(0xb7, 0, 0, 0, 0, 0, 0, 0, ...exit);
/** `r0 = bpf_get_attach_cookie(ctx); exit` */
const returnCookie = Uint8Array.of(0x85, 0, 0, 0, 174, 0, 0, 0, ...exit);

const probes = {
  ring_buffer: () => tryMap(MAP.RINGBUF, 0, 0, libc.getpagesize()),
  batch_lookup: tryBatchLookup,
  tracepoint: () => tryProgram(PROG.TRACEPOINT),
  // Those of system calls then run where they may sleep, and be preempted, whether they can sleep or not.
  sleepable_tracepoint: () => tryProgram(PROG.TRACEPOINT, undefined, { prog_flags: BPF_F_SLEEPABLE }),
  raw_tp: () => tryProgram(PROG.RAW_TRACEPOINT, (fd) => close(libbpf.bpf_raw_tracepoint_open('sched_switch', fd))),
  tp_btf: () => tryTraced('sched_switch', PROG.TRACING, ATTACH.RAW_TP),
  fentry: () => tryTraced(TRACED_FUNCTION, PROG.TRACING, ATTACH.FENTRY),
  fexit: () => tryTraced(TRACED_FUNCTION, PROG.TRACING, ATTACH.FEXIT),
  lsm: () => tryTraced('file_open', PROG.LSM, ATTACH.LSM),
  kprobe: () => tryProbe('kprobe', PROBED_FUNCTION),
  kprobe_multi: () => tryProgram(PROG.KPROBE, linkMulti, { expected_attach_type: ATTACH.KPROBE_MULTI }),
  uprobe: () => tryProbe('uprobe', process.execPath),
  attach_cookie: () => tryProgram(PROG.KPROBE, undefined, {}, returnCookie),
  uprobe_multi: () => tryProgram(PROG.KPROBE, linkUserMulti, { expected_attach_type: ATTACH.UPROBE_MULTI }),
  perf_event: () => tryPerfEvent(softwareClock({ frequency: 1 }), PROG.PERF_EVENT, 0),
  iter: () => tryTraced('task', PROG.TRACING, ATTACH.ITER, false),
} as const satisfies Record<string, () => FeatureAnswer>;

export const featureNames = Object.keys(probes) as readonly Feature[];

const known = new Map<Feature, FeatureAnswer>();

/**
 * Finds out by doing whether the running kernel has a feature: loads a two-instruction program of the kind and attaches
 * it. Only conclusive answers are remembered.
 */
export function probeFeature(feature: Feature): FeatureAnswer {
  const before = known.get(feature);
  if (before !== undefined) {
    return before;
  }
  const answer = withLog(() => probes[feature]());
  if (answer.supported !== undefined) {
    known.set(feature, answer);
  }
  return answer;
}

function no(error: number, what: string): FeatureAnswer {
  const number = Math.abs(error);
  if (SHORT_OF.has(number)) {
    return { supported: undefined, reason: `${what} failed: ${errorText(error)}` };
  }
  const refused = number === 1 || number === 13;
  if (refused && !mayTrace()) {
    return { supported: undefined, reason: 'not permitted to try' };
  }
  return {
    supported: false,
    reason: `${what} ${refused ? 'is refused by this kernel' : 'failed'}: ${errorText(error)}`,
  };
}

function close(fd: number): number {
  return fd >= 0 ? libc.close(fd) : fd;
}

function tryMap(type: number, keySize: number, valueSize: number, entries: number): FeatureAnswer {
  const result = close(libbpf.bpf_map_create(type, null, keySize, valueSize, entries, null));
  return result < 0 ? no(result, 'creating the map') : yes;
}

function tryBatchLookup(): FeatureAnswer {
  const map = libbpf.bpf_map_create(MAP.HASH, null, 4, 4, 1, null);
  if (map < 0) {
    return no(map, 'creating the map');
  }
  const four = () => new Uint8Array(4);
  const result = libbpf.bpf_map_lookup_batch(map, null, four(), four(), four(), Uint8Array.of(1, 0, 0, 0), null);
  libc.close(map);
  // An empty map answers ENOENT where the call exists.
  return result === 0 || result === -2 ? yes : no(result, 'a batch look-up');
}

function tryProgram(
  type: number,
  attach?: (fd: number) => number,
  load: { expected_attach_type?: number; prog_flags?: number; attach_btf_id?: number } = {},
  code = returnZero,
): FeatureAnswer {
  const fd = libbpf.bpf_prog_load(type, 'probe', 'GPL', code, 2, options('bpf_prog_load_opts', load));
  if (fd < 0) {
    return no(fd, 'loading the program');
  }
  try {
    const attached = attach?.(fd) ?? 0;
    return attached < 0 ? no(attached, 'attaching the program') : yes;
  } finally {
    libc.close(fd);
  }
}

/** Attaches to a list of one function: struct bpf_link_create_opts with its kprobe_multi part, 64 bytes in libbpf 1.0. */
function linkMulti(fd: number): number {
  const name = Buffer.from(`${PROBED_FUNCTION}\0`);
  const names = new BigUint64Array([addressOf(name)]);
  const bytes = new DataView(new ArrayBuffer(64));
  bytes.setBigUint64(0, 64n, true);
  bytes.setUint32(36, names.length, true);
  bytes.setBigUint64(40, addressOf(new Uint8Array(names.buffer)), true);
  return close(libbpf.bpf_link_create(fd, 0, ATTACH.KPROBE_MULTI, new Uint8Array(bytes.buffer)));
}

/** Asks for a place in a directory: who knows such links says that it is no file. The end of a real one takes 20 ms. */
function linkUserMulti(fd: number): number {
  const result = close(linkUserPlaces(fd, { file: '/', places: [{ offset: 0 }] }));
  return result === EBADF ? 0 : result;
}

function tryTraced(name: string, type: number, attachType: number, attach = true): FeatureAnswer {
  if (!existsSync(KERNEL_BTF)) {
    return { supported: false, reason: 'the kernel has no BTF' };
  }
  const id = hookType(name, attachType);
  if (id === undefined) {
    return { supported: false, reason: `the kernel's BTF does not have ${name}` };
  }
  return tryProgram(type, attach ? (fd) => close(libbpf.bpf_raw_tracepoint_open(null, fd)) : undefined, {
    expected_attach_type: attachType,
    attach_btf_id: id,
  });
}

function tryProbe(pmu: 'kprobe' | 'uprobe', target: string): FeatureAnswer {
  let type: number;
  try {
    type = Number(readFileSync(`/sys/bus/event_source/devices/${pmu}/type`, 'utf8'));
  } catch {
    return { supported: false, reason: `the kernel is built without ${pmu}s` };
  }
  const name = Buffer.from(`${target}\0`);
  return tryPerfEvent({ type, config: 0, config1: addressOf(name) }, PROG.KPROBE, -1);
}

function tryPerfEvent(attr: PerfEventAttr, type: number, cpu: number): FeatureAnswer {
  const event = perfEventOpen(attr, cpu < 0 ? process.pid : -1, cpu);
  if (event < 0) {
    return no(event, 'opening the event');
  }
  try {
    return tryProgram(type, (fd) => libc.ioctl(event, PERF_EVENT_IOC_SET_BPF, fd));
  } finally {
    libc.close(event);
  }
}
