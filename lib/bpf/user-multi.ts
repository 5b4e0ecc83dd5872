import { BPF_LINK_CREATE, bpfSyscall } from '../native/bpf-syscall.ts';
import { addressOf } from '../native/memory.ts';
import { ATTACH } from './program-types.ts';

const BPF_F_UPROBE_MULTI_RETURN = 1;

/** Places in one file that a program is attached to in one step. */
export interface UserPlaces {
  readonly file: string;
  readonly places: readonly {
    readonly offset: number;
    /** What the program gets from bpf_get_attach_cookie(). */
    readonly cookie?: number;
    /** Where in the file is the counter of those who look at a statically defined probe. */
    readonly semaphore?: number;
  }[];
  /** At the returns of the functions that begin there. */
  readonly return?: boolean;
  /** Only in this process. */
  readonly pid?: number;
}

/**
 * Makes a link of the kind uprobe.multi (kernel 6.6), which libbpf can do from 1.3 on only. All places or none.
 * @returns its descriptor, or the negative error number
 */
export function linkUserPlaces(program: number, { file, places, pid, return: returns = false }: UserPlaces): number {
  const path = Buffer.from(`${file}\0`);
  const numbers = (number: (place: UserPlaces['places'][number]) => number) =>
    new Uint8Array(BigUint64Array.from(places, (place) => BigInt(number(place))).buffer);
  const offsets = numbers(({ offset }) => offset);
  const semaphores = numbers(({ semaphore = 0 }) => semaphore);
  const cookies = numbers(({ cookie = 0 }) => cookie);
  // The part of union bpf_attr that is for this command.
  const attributes = new DataView(new ArrayBuffer(64));
  attributes.setUint32(0, program, true);
  attributes.setUint32(8, ATTACH.UPROBE_MULTI, true);
  for (const [i, memory] of [path, offsets, semaphores, cookies].entries()) {
    attributes.setBigUint64(16 + 8 * i, addressOf(memory), true);
  }
  attributes.setUint32(48, places.length, true);
  attributes.setUint32(52, returns ? BPF_F_UPROBE_MULTI_RETURN : 0, true);
  attributes.setUint32(56, pid ?? 0, true);
  return bpfSyscall(BPF_LINK_CREATE, new Uint8Array(attributes.buffer));
}
