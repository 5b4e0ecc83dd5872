import { closeSync, openSync, writeSync } from 'node:fs';
import type { Actor } from './actor.ts';
import { numberOf } from './syscall.ts';

const PR_SET_NO_NEW_PRIVS = 38;
const SECCOMP_SET_MODE_FILTER = 1;
const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const LOAD = 0x20;
const JUMP_EQUAL = 0x15;
const RETURN = 0x06;

/** What a filter can return. */
export const action = {
  killProcess: 0x80000000,
  killThread: 0,
  trap: 0x00030000,
  errno: (error: number) => 0x00050000 | error,
  log: 0x7ffc0000,
} as const;

/** Has the kernel log what the filter does. */
export const FLAG_LOG = 2;

const allow = 0x7fff0000;

/** Installs a filter in a thread of an actor: what becomes of some system calls; all others are allowed. */
export async function installFilter(
  actor: Actor,
  thread: number,
  calls: Readonly<Record<string, number>>,
  flags = 0,
): Promise<void> {
  const code = [
    instruction(LOAD, 0),
    ...Object.entries(calls).flatMap(([name, verdict]) => [
      instruction(JUMP_EQUAL, numberOf(name) ?? -1, 1),
      instruction(RETURN, verdict),
    ]),
    instruction(RETURN, allow),
  ];
  const room = await actor.mustCall('mmap', 0, 4096, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
  const head = Buffer.alloc(16);
  head.writeUInt16LE(code.length, 0);
  head.writeBigUInt64LE(BigInt(room + head.length), 8);
  const memory = openSync(`/proc/${actor.pid}/mem`, 'r+');
  writeSync(memory, Buffer.concat([head, ...code]), 0, head.length + 8 * code.length, room);
  closeSync(memory);
  for (const result of [
    await actor.ask(thread, 'prctl', PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
    await actor.ask(thread, 'seccomp', SECCOMP_SET_MODE_FILTER, flags, room),
  ]) {
    if (result.result !== 0) {
      throw new Error(`no filter: ${result.result}`);
    }
  }
}

function instruction(code: number, value: number, otherwise = 0): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(otherwise, 3);
  bytes.writeUInt32LE(value >>> 0, 4);
  return bytes;
}
