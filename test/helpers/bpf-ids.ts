import { readdirSync, readFileSync } from 'node:fs';
import { bind, openLibbpf } from '../../lib/native/library.ts';
import { patience } from './deadline.ts';

interface Enumerate {
  bpf_prog_get_next_id(start: number, next: Uint8Array): number;
  bpf_map_get_next_id(start: number, next: Uint8Array): number;
  bpf_link_get_next_id(start: number, next: Uint8Array): number;
}

const enumerate = bind<Enumerate>(openLibbpf, {
  bpf_prog_get_next_id: 'int bpf_prog_get_next_id(uint32_t start, void *next)',
  bpf_map_get_next_id: 'int bpf_map_get_next_id(uint32_t start, void *next)',
  bpf_link_get_next_id: 'int bpf_link_get_next_id(uint32_t start, void *next)',
});

export type BpfKind = 'prog' | 'map' | 'link';

/** Something in the kernel: 'prog 17'. The kernel does not use a number again for a long time. */
export type BpfId = `${BpfKind} ${number}`;

/** Every program, map and link that a process holds a descriptor of. */
export function heldBy(pid: number): Set<BpfId> {
  const folder = `/proc/${pid}/fdinfo`;
  const held = new Set<BpfId>();
  for (const fd of readdirSync(folder)) {
    let info: string;
    try {
      info = readFileSync(`${folder}/${fd}`, 'utf8');
    } catch {
      // Closed meanwhile.
      continue;
    }
    for (const [, kind, id] of info.matchAll(/^(prog|map|link)_id:\s*(\d+)$/gm)) {
      held.add(`${kind as BpfKind} ${Number(id)}`);
    }
  }
  return held;
}

/** Whether the kernel still has it, whoever holds it. */
function exists(id: BpfId): boolean {
  const [kind, number] = id.split(' ') as [BpfKind, string];
  const next = new Uint32Array(1);
  const result = enumerate[`bpf_${kind}_get_next_id`](Number(number) - 1, new Uint8Array(next.buffer));
  return result === 0 && next[0] === Number(number);
}

/**
 * Waits until the kernel has let go of all of them, which it does a moment after the last descriptor is closed.
 * @returns what is still there after all that time: nothing, normally
 */
export async function leftOf(ids: Iterable<BpfId>): Promise<BpfId[]> {
  const end = performance.now() + patience;
  let left = [...ids];
  for (;;) {
    left = left.filter(exists);
    if (left.length === 0 || performance.now() > end) {
      return left;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
