import { Assembler } from '../../lib/probes/assembler.ts';
import type { Actor } from './actor.ts';
import { pointerTo } from './native-arguments.ts';
import { CABLE } from './network-namespace.ts';
import { mustSyscall } from './syscall.ts';

const BPF_MAP_CREATE = 0;
const BPF_MAP_UPDATE_ELEM = 2;
const BPF_PROG_LOAD = 5;
const BPF_OBJ_GET_INFO_BY_FD = 15;
const BPF_LINK_CREATE = 28;
const BPF_MAP_TYPE_CPUMAP = 16;
const BPF_PROG_TYPE_XDP = 6;
const BPF_XDP = 37;
const REDIRECT = 23;
const REDIRECT_MAP = 51;
const LINK_HEADER = 14;

/** What a program does with a packet: what it returns, or where it redirects to. */
export type Fate = { readonly returns: number } | { readonly to: number } | { readonly map: number };

/** A queue of so many packets for one processor, as the only entry of a map. @returns its descriptor in this process */
export function processorQueue(cpu: number, packets: number): number {
  const create = words(BPF_MAP_TYPE_CPUMAP, 4, 4, cpu + 1, ...new Array<number>(12).fill(0));
  const map = mustSyscall('bpf', BPF_MAP_CREATE, create, create.length);
  const [key, size] = [words(cpu), words(packets)];
  const update = BigUint64Array.of(BigInt(map), pointerTo(key), pointerTo(size), 0n);
  mustSyscall('bpf', BPF_MAP_UPDATE_ELEM, new Uint8Array(update.buffer), update.byteLength, key, size);
  return map;
}

/**
 * Has packets that come to an actor's end of the cable handled by a program that looks at the second byte behind the
 * header of the link: `fates` has what becomes of those with its index there, all others pass. It ends with the actor.
 * @returns the id of the program
 */
export async function attachXdp(actor: Actor, name: string, fates: readonly Fate[], key = 0): Promise<number> {
  const code = new Assembler();
  const pass = code.label();
  code.load(4, 2, 1, 0).load(4, 3, 1, 4);
  code
    .compute('=', 4, 2)
    .compute('+', 4, { number: LINK_HEADER + 2 })
    .jumpIf('>', 4, 3, pass);
  code.load(1, 6, 2, LINK_HEADER + 1);
  for (const [i, fate] of fates.entries()) {
    const next = code.label();
    code.jumpIf('!=', 6, { number: i }, next);
    if ('returns' in fate) {
      code.set(0, BigInt(fate.returns));
    } else if ('to' in fate) {
      code.set(1, BigInt(fate.to)).set(2, 0n).call(REDIRECT);
    } else {
      code.map(1, fate.map).set(2, BigInt(key)).set(3, 0n).call(REDIRECT_MAP);
    }
    code.exit().place(next);
  }
  code.place(pass).set(0, 2n).exit();
  const program = load(name, code.finish());
  // The link is to be made in the network of the actor.
  const pidfd = await actor.mustCall('pidfd_open', process.pid, 0);
  const own = await actor.mustCall('pidfd_getfd', pidfd, program, 0);
  const link = words(own, CABLE, BPF_XDP, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  await actor.mustCall('bpf', BPF_LINK_CREATE, link, link.length);
  const info = new Uint8Array(8);
  const request = BigUint64Array.of(BigInt(program) | (BigInt(info.length) << 32n), pointerTo(info));
  mustSyscall('bpf', BPF_OBJ_GET_INFO_BY_FD, new Uint8Array(request.buffer), request.byteLength, info);
  mustSyscall('close', program);
  return new DataView(info.buffer).getUint32(4, true);
}

function load(name: string, instructions: Uint8Array): number {
  const license = Buffer.from('GPL\0');
  const attributes = new DataView(new ArrayBuffer(120));
  attributes.setUint32(0, BPF_PROG_TYPE_XDP, true);
  attributes.setUint32(4, instructions.length / 8, true);
  attributes.setBigUint64(8, pointerTo(instructions), true);
  attributes.setBigUint64(16, pointerTo(license), true);
  const bytes = new Uint8Array(attributes.buffer);
  bytes.set(Buffer.from(name), 48);
  return mustSyscall('bpf', BPF_PROG_LOAD, bytes, bytes.length, instructions, license);
}

function words(...values: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}
