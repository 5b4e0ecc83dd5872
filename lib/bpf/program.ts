import { closeSync, openSync, readFileSync } from 'node:fs';
import { KscopeError } from '../model/errors.ts';
import { libbpf, options } from '../native/libbpf.ts';
import { errno, errorText, libc } from '../native/libc.ts';
import type { Pointer } from '../native/library.ts';
import { addressOf } from '../native/memory.ts';
import { type ClockRate, type PerfEventAttr, perfEventOpen, softwareClock } from '../native/perf-event.ts';
import { cgroupMounts } from '../system/cgroups.ts';
import { BpfLink } from './link.ts';
import { withLog } from './log.ts';
import { programInfo } from './program-info.ts';
import { ATTACH, PROG } from './program-types.ts';
import { tracefs } from './tracefs.ts';
import { linkUserPlaces, type UserPlaces } from './user-multi.ts';

const ESRCH = 3;

export interface UserProbe {
  /** The binary or shared object; a path, not the name of a library. */
  readonly file: string;
  /** Function name, or 'name@VERSION'... */
  readonly symbol?: string;
  /** ...or where in the file (without a symbol), or in the function. */
  readonly offset?: bigint | number;
  /** At the return of the function. */
  readonly return?: boolean;
  /** Where in the file is the counter of those who look at a statically defined probe. */
  readonly semaphore?: number;
  /** Only in this process. */
  readonly pid?: number;
  /** What the program gets from bpf_get_attach_cookie(). */
  readonly cookie?: number;
}

/** A program of an object file. Before load it can be left out; after load it can be attached. */
export class BpfProgram {
  readonly name: string;
  #section: string;
  /** Whether its section is no longer what libbpf knows. */
  #moved = false;
  /** Whether it is attached to places of programs by links of their own kind. */
  #toPlaces = false;
  #native: Pointer;
  readonly #own: (link: BpfLink) => BpfLink;

  constructor(pointer: bigint, own: (link: BpfLink) => BpfLink) {
    this.#native = pointer;
    this.#own = own;
    this.name = libbpf.bpf_program__name(pointer);
    this.#section = libbpf.bpf_program__section_name(pointer);
    if (/^u(ret)?probe\.multi$/.test(this.#section)) {
      // libbpf knows these sections from 1.3 on.
      libbpf.bpf_program__set_type(pointer, PROG.KPROBE);
      this.takePlacesAtOnce();
    }
  }

  /** Where it belongs: 'tp_btf/sched_process_exit'. */
  get section(): string {
    return this.#section;
  }

  /** Descriptor of the loaded program; negative when it is not loaded. */
  get fd(): number {
    return this.#native === null ? -1 : libbpf.bpf_program__fd(this.#native);
  }

  /**
   * How often the kernel skipped the program because it was already running on that CPU, interrupted or preempted; 0
   * where the kernel does not count that (before 5.12).
   */
  get misses(): number {
    return programInfo(this.fd).misses;
  }

  /**
   * How often it ran since it was loaded, and for how many nanoseconds in all, as far as the kernel counted: see
   * `RunCounting`.
   */
  get runs(): { readonly count: number; readonly time: number } {
    const { runs, time } = programInfo(this.fd);
    return { count: runs, time };
  }

  /** Whether `load` will load it. */
  get autoload(): boolean {
    return libbpf.bpf_program__autoload(this.#pointer);
  }

  /** Before load. @throws KscopeError failed */
  set autoload(load: boolean) {
    this.#check(libbpf.bpf_program__set_autoload(this.#pointer, load), 'cannot be chosen or left out');
  }

  /** Before load: the kernel function of an fentry, fexit, fmod_ret or LSM program, instead of the one in its section. */
  setTarget(name: string): void {
    this.#check(libbpf.bpf_program__set_attach_target(this.#pointer, 0, name), `cannot aim at ${name}`);
  }

  /** Before load: makes it a program for another section, `kprobe.multi/FUNCTION` or `kretprobe.multi/FUNCTION`. */
  moveTo(section: string): void {
    this.#check(libbpf.bpf_program__set_type(this.#pointer, PROG.KPROBE), 'cannot have another type');
    const result = libbpf.bpf_program__set_expected_attach_type(this.#pointer, ATTACH.KPROBE_MULTI);
    this.#check(result, 'cannot be attached to a function');
    this.#moved = true;
    this.#section = section;
  }

  /**
   * Before load: has a program of the section `uprobe` or `uretprobe` attached as one of `uprobe.multi` (kernel 6.6): all
   * places of a file in one step, and let go in one, where each of them takes the kernel as much as a tenth of a second.
   */
  takePlacesAtOnce(): void {
    const result = libbpf.bpf_program__set_expected_attach_type(this.#pointer, ATTACH.UPROBE_MULTI);
    this.#check(result, 'cannot be attached to places of programs');
    this.#toPlaces = true;
  }

  /**
   * Before load: puts other code in its place, which must not need relocation. Its type is a number of the kernel's
   * interface; `target` is the function of an fentry or fexit program.
   */
  rewrite(code: Uint8Array, details: { type: number; attachType?: number; target?: string }): void {
    const { type, attachType, target } = details;
    this.#check(libbpf.bpf_program__set_type(this.#pointer, type), 'cannot have another type');
    if (attachType !== undefined) {
      const result = libbpf.bpf_program__set_expected_attach_type(this.#pointer, attachType);
      this.#check(result, 'cannot be attached otherwise');
    }
    if (target !== undefined) {
      this.setTarget(target);
    }
    this.#check(libbpf.bpf_program__set_insns(this.#pointer, code, code.length / 8), 'cannot have other code');
  }

  /** Of an fentry or fexit program: where `rewrite` aimed it. */
  attachTrace(where: string): BpfLink {
    return this.#attach(where, () => libbpf.bpf_program__attach_trace(this.#pointer));
  }

  /** Attaches where the section says: a program for cgroups, to all that can be seen. @throws KscopeError unsupported | permission | failed */
  attach(): BpfLink {
    if (this.#moved) {
      const [kind, name = ''] = this.#section.split('/');
      return this.attachKprobeMulti([name], { return: kind === 'kretprobe.multi' });
    }
    if (/^cgroup(_skb)?\//.test(this.#section)) {
      return this.attachCgroup(cgroupMounts()[0] ?? '/sys/fs/cgroup');
    }
    if (/^(tp|tracepoint)\//.test(this.#section)) {
      tracefs(); // libbpf looks there, and takes a place that is not mounted for a tracepoint that does not exist
    }
    try {
      return this.#attach(this.section, () => libbpf.bpf_program__attach(this.#pointer));
    } catch (error) {
      if (error instanceof KscopeError && error.code === 'unsupported' && !this.section.includes('/')) {
        throw new KscopeError('failed', `cannot attach ${this.name}: its section does not say where`, {
          subject: this.name,
          cause: error,
        });
      }
      throw error;
    }
  }

  attachTracepoint(category: string, name: string, details: { cookie?: number } = {}): BpfLink {
    tracefs();
    const given = { bpf_cookie: details.cookie ?? 0 };
    return this.#attach(`tracepoint ${category}:${name}`, () =>
      libbpf.bpf_program__attach_tracepoint_opts(this.#pointer, category, name, options('bpf_tracepoint_opts', given)),
    );
  }

  attachRawTracepoint(name: string): BpfLink {
    return this.#attach(`raw tracepoint ${name}`, () => libbpf.bpf_program__attach_raw_tracepoint(this.#pointer, name));
  }

  /** At the entry of a kernel function, by its name or where it begins, at an offset in it, or at its return. */
  attachKprobe(where: string | bigint, details: { return?: boolean; offset?: number; cookie?: number } = {}): BpfLink {
    const { return: retprobe = false, cookie = 0, offset = 0 } = details;
    const [name, from] = typeof where === 'string' ? [where, offset] : [null, where + BigInt(offset)];
    const given = { retprobe, offset: from, bpf_cookie: cookie };
    return this.#attach(`${retprobe ? 'kretprobe' : 'kprobe'} ${name ?? `0x${from.toString(16)}`}`, () =>
      libbpf.bpf_program__attach_kprobe_opts(this.#pointer, name, options('bpf_kprobe_opts', given)),
    );
  }

  /**
   * At all kernel functions that match a pattern with `*` and `?`, or that have these names, in one step (kprobe.multi,
   * kernel 5.18).
   */
  attachKprobeMulti(where: string | readonly string[], details: { return?: boolean } = {}): BpfLink {
    const retprobe = details.return ?? false;
    const what = typeof where === 'string' || where.length < 4 ? where : `${where.length} functions`;
    return this.#attach(`${retprobe ? 'kretprobe' : 'kprobe'}.multi ${what}`, () => {
      if (typeof where === 'string') {
        const given = options('bpf_kprobe_multi_opts', { retprobe });
        return libbpf.bpf_program__attach_kprobe_multi_opts(this.#pointer, where, given);
      }
      const names = where.map((name) => Buffer.from(`${name}\0`));
      const addresses = new Uint8Array(BigUint64Array.from(names, addressOf).buffer);
      const given = options('bpf_kprobe_multi_opts', { retprobe, syms: addressOf(addresses), cnt: names.length });
      return libbpf.bpf_program__attach_kprobe_multi_opts(this.#pointer, null, given);
    });
  }

  /** The same at functions that begin at these addresses. */
  attachKprobeAddresses(addresses: BigUint64Array, details: { return?: boolean } = {}): BpfLink {
    const retprobe = details.return ?? false;
    return this.#attach(`${retprobe ? 'kretprobe' : 'kprobe'}.multi ${addresses.length} functions`, () => {
      const bytes = new Uint8Array(addresses.buffer, addresses.byteOffset, addresses.byteLength);
      const given = { retprobe, addrs: addressOf(bytes), cnt: addresses.length };
      const multi = options('bpf_kprobe_multi_opts', given);
      return libbpf.bpf_program__attach_kprobe_multi_opts(this.#pointer, null, multi);
    });
  }

  /** At a function or an offset of a binary or shared object. */
  attachUprobe(probe: UserProbe): BpfLink {
    const given = {
      retprobe: probe.return ?? false,
      func_name: probe.symbol ?? null,
      bpf_cookie: probe.cookie ?? 0,
      ref_ctr_offset: probe.semaphore ?? 0,
    };
    return this.#attach(`uprobe ${probe.file}:${probe.symbol ?? probe.offset ?? 0}`, () =>
      libbpf.bpf_program__attach_uprobe_opts(
        this.#pointer,
        probe.pid ?? -1,
        probe.file,
        probe.offset ?? 0,
        options('bpf_uprobe_opts', given),
      ),
    );
  }

  /**
   * At places of a binary or shared object: in one step, all or none, of the section `uprobe.multi` or after
   * `takePlacesAtOnce`; else one by one.
   */
  attachUprobes(where: UserPlaces): void {
    if (!this.#toPlaces) {
      const { places, ...how } = where;
      for (const place of places) {
        this.attachUprobe({ ...how, ...place });
      }
      return;
    }
    const fd = linkUserPlaces(this.fd, where);
    if (fd < 0) {
      throw attachError(this.name, `${where.places.length} places in ${where.file}`, -fd, []);
    }
    this.#own(new BpfLink(fd));
  }

  /** At a statically defined probe of a binary, in one process or (kernel 5.15) in all. */
  attachUsdt(file: string, provider: string, name: string, pid = -1): BpfLink {
    try {
      return this.#attach(`usdt ${file}:${provider}:${name}`, () =>
        libbpf.bpf_program__attach_usdt(this.#pointer, pid, file, provider, name, null),
      );
    } catch (error) {
      if (error instanceof KscopeError && error.errno === ESRCH) {
        // Before Linux 5.15, libbpf looks for the probe in what the process has mapped.
        throw new KscopeError('failed', `cannot attach ${this.name}: process ${pid} is gone, or does not use ${file}`, {
          subject: this.name,
          errno: ESRCH,
        });
      }
      throw error;
    }
  }

  /** To a cgroup v2, by its directory, and all below it. Others' programs that are there stay. */
  attachCgroup(directory: string): BpfLink {
    const fd = openSync(directory, 'r');
    try {
      return this.#attach(`cgroup ${directory}`, () => libbpf.bpf_program__attach_cgroup(this.#pointer, fd));
    } finally {
      closeSync(fd);
    }
  }

  /** To the kernel's software clock on one CPU: so many times a second in which it is not idle, or as `rate` says. */
  attachClock(rate: number | ClockRate, cpu: number): BpfLink {
    return this.attachPerfEvent(softwareClock(typeof rate === 'number' ? { frequency: rate } : rate), { cpu });
  }

  /** To samples of a perf event on one CPU (all processes) or of one process (all CPUs). */
  attachPerfEvent(attr: PerfEventAttr, target: { cpu?: number; pid?: number }): BpfLink {
    const fd = perfEventOpen(attr, target.pid ?? -1, target.cpu ?? -1);
    const where = `perf event on ${target.cpu === undefined ? `process ${target.pid}` : `CPU ${target.cpu}`}`;
    if (fd < 0) {
      throw attachError(this.name, where, -fd, []);
    }
    try {
      // The link closes the descriptor from then on.
      return this.#attach(where, () => libbpf.bpf_program__attach_perf_event(this.#pointer, fd));
    } catch (error) {
      libc.close(fd);
      throw error;
    }
  }

  /**
   * Runs an iterator program (section `iter/…`) over all there is, once. @returns what it wrote
   * @throws KscopeError unsupported | permission | failed
   */
  iterate(): Uint8Array {
    using link = this.attach();
    const fd = libbpf.bpf_iter_create(link.fd);
    if (fd < 0) {
      throw attachError(this.name, this.section, -fd, []);
    }
    try {
      return readFileSync(fd);
    } finally {
      closeSync(fd);
    }
  }

  /** Called by the object when it is closed: from then on there is no program. */
  release(): void {
    this.#native = null;
  }

  /** Of a closed object nothing is left to point to. @throws KscopeError failed */
  get #pointer(): bigint {
    if (this.#native === null) {
      throw new KscopeError('failed', `program ${this.name}: its object is closed`, { subject: this.name });
    }
    return this.#native;
  }

  #attach(where: string, attach: () => Pointer): BpfLink {
    return withLog((log) => {
      const link = attach();
      if (link === null) {
        throw attachError(this.name, where, errno(), log);
      }
      return this.#own(new BpfLink(link));
    });
  }

  #check(result: number, what: string): void {
    if (result < 0) {
      throw new KscopeError('failed', `program ${this.name}: ${what}: ${errorText(result)}`, { subject: this.name });
    }
  }
}

function attachError(program: string, where: string, error: number, log: readonly string[]): KscopeError {
  const missing = error === 0 || error === 2 || error === 19 || error === 95 || error === 524;
  const code = error === 1 || error === 13 ? 'permission' : missing ? 'unsupported' : 'failed';
  // Numbers from 4000 on are libbpf's own.
  const reason = (error >= 4000 ? log.at(-1) : undefined) ?? errorText(error);
  return new KscopeError(code, `cannot attach ${program} to ${where}: ${reason}`, {
    log: log.join('\n'),
    subject: program,
    errno: error,
  });
}
