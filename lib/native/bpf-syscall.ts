import { errno, libc } from './libc.ts';
import { addressOf } from './memory.ts';

const NUMBERS: Partial<Record<string, number>> = { x64: 321, arm64: 280 };

/** Commands of bpf(2). */
export const BPF_LINK_CREATE = 28;

/** bpf(2), for what libbpf has no function for. @returns a descriptor or 0, or the negative error number */
export function bpfSyscall(command: number, attributes: Uint8Array): number {
  const number = NUMBERS[process.arch];
  if (number === undefined) {
    return -38;
  }
  const result = libc.syscall(number, BigInt(command), Number(addressOf(attributes)), attributes.length, 0, 0);
  return result < 0 ? -errno() : result;
}
