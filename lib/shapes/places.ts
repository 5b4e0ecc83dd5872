import { closeSync, constants, openSync, readSync } from 'node:fs';
import { probeFeature } from '../bpf/features.ts';
import { kernelBtf } from '../bpf/kernel-btf.ts';
import type { BpfProgram } from '../bpf/program.ts';
import { KscopeError } from '../model/errors.ts';

const ENOTSUPP = 524;

/** So many instructions that cannot be replaced are met in a file of functions; more are another problem. */
const REFUSED_MAX = 256;

/** A place in a program or library, with the number by which BPF programs know it. */
export interface NumberedPlace {
  readonly path: string;
  readonly name: string;
  readonly offset: number;
  readonly number: number;
  readonly semaphore?: number;
}

/**
 * Attaches to places of programs: all of a file in one step, if the program is of a section for that (`uprobe.multi`),
 * or else one by one.
 * @returns those that the kernel cannot put a breakpoint at, for not every instruction can be carried out elsewhere
 * @throws KscopeError when it is the only one, or one cannot be attached to for another reason
 */
export function attachToPlaces(
  program: BpfProgram,
  places: readonly NumberedPlace[],
  how: { readonly return?: boolean; readonly pid?: number },
): readonly NumberedPlace[] {
  const atOnce = program.section.endsWith('.multi');
  const attach = (some: readonly NumberedPlace[]): unknown => {
    const [one] = some as readonly [NumberedPlace];
    const { path: file, offset, number: cookie, semaphore = 0 } = one;
    return atOnce
      ? program.attachUprobes({ ...how, file, places: some.map((place) => ({ ...place, cookie: place.number })) })
      : attachOne(cookie, () => program.attachUprobe({ ...how, file, offset, cookie, semaphore }));
  };
  const refused: NumberedPlace[] = [];
  const attachMost = (some: readonly NumberedPlace[]): void => {
    try {
      attach(some);
    } catch (error) {
      if (!isRefused(error) || places.length === 1 || refused.length === REFUSED_MAX) {
        throw error;
      }
      if (some.length === 1) {
        refused.push(...some);
      } else {
        // The kernel does not say which of them it was.
        attachMost(some.slice(0, some.length >> 1));
        attachMost(some.slice(some.length >> 1));
      }
    }
  };
  for (const some of atOnce ? steps(places) : places.map((place) => [place])) {
    attachMost(some);
  }
  return refused;
}

/** What is attached to at once: all of a file, but for those that may be refused, which would take the others along. */
function* steps(places: readonly NumberedPlace[]): Generator<readonly NumberedPlace[]> {
  for (const [path, own] of byFile(places)) {
    const doubtful = withBadPrefix(path, own);
    const others = own.filter((place) => !doubtful.has(place));
    if (others.length > 0) {
      yield others;
    }
    for (const place of doubtful) {
      yield [place];
    }
  }
}

/** Prefixes with which the kernel carries out no instruction elsewhere: lock, and segments. */
const BAD_PREFIXES = new Set([0xf0, 0x26, 0x2e, 0x36, 0x3e]);

/** The places whose instruction begins with such a prefix; a guess, and none where the file cannot be read. */
function withBadPrefix(path: string, places: readonly NumberedPlace[]): ReadonlySet<NumberedPlace> {
  if (process.arch !== 'x64') {
    return new Set();
  }
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const byte = Buffer.alloc(1);
      return new Set(
        places.filter(({ offset }) => readSync(fd, byte, 0, 1, offset) === 1 && BAD_PREFIXES.has(byte[0] ?? 0)),
      );
    } finally {
      closeSync(fd);
    }
  } catch {
    return new Set();
  }
}

/** Of plans for all places at once and for one by one, those that do on this kernel what the options say. */
export function userPlans<Plan>(
  { pid }: { readonly pid?: number | undefined },
  plans: readonly Plan[],
): readonly Plan[] {
  return pid === undefined || filtersProcesses() ? plans : plans.slice(1);
}

/** The programs of the other plans: nobody is to look for a way to attach them. */
export function otherPlans<Name>(
  values: { readonly pid?: number | undefined },
  plans: readonly (readonly Name[])[],
): Name[] {
  const wanted = userPlans(values, plans);
  return plans.filter((plan) => !wanted.includes(plan)).flat();
}

/** Whether programs for one place after the other do better as such for all places at once, and on this kernel can. */
export function placesAtOnce({ pid }: { readonly pid?: unknown }): boolean {
  return probeFeature('uprobe_multi').supported === true && (pid === undefined || filtersProcesses());
}

/*
 * 46ba0e49b642 ("bpf: fix multi-uprobe PID filtering logic", 6.10): before, only the first thread of a process was seen.
 * It left no trace, but 3c83a9ad0295 ("uprobes: make uprobe_register() return struct uprobe *", 6.12) did.
 */
function filtersProcesses(): boolean {
  try {
    const place = kernelBtf().findByName('bpf_uprobe', 'struct');
    return place?.members.some(({ name }) => name === 'uprobe') === true;
  } catch {
    return false;
  }
}

function byFile(places: readonly NumberedPlace[]): ReadonlyMap<string, readonly NumberedPlace[]> {
  const files = new Map<string, NumberedPlace[]>();
  for (const place of places) {
    const known = files.get(place.path);
    known === undefined ? files.set(place.path, [place]) : known.push(place);
  }
  return files;
}

function isRefused(error: unknown): boolean {
  return error instanceof KscopeError && error.errno === ENOTSUPP;
}

/** Attaches to one of several places. Kernels before 5.15 have no numbers for them: there it can only be one. */
export function attachOne(number: number, attach: () => unknown): void {
  try {
    attach();
  } catch (error) {
    if (number > 0 && error instanceof KscopeError && error.code === 'unsupported' && !isRefused(error)) {
      throw new KscopeError('unsupported', 'this kernel cannot tell several places apart', {
        hint: 'name one function or event, or use Linux 5.15 or newer',
        cause: error,
      });
    }
    throw error;
  }
}
