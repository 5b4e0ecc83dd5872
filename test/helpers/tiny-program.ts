import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { trySpawn, waitStatus } from './spawn-process.ts';
import type { TemporaryDirectory } from './temporary-directory.ts';

/**
 * A 32-bit program, as a file, that asks for its pid that many times and ends: for the other kind of system calls that
 * this machine may know.
 */
function tinyProgram(times: number): Uint8Array {
  const arm = process.arch === 'arm64';
  const code = arm
    ? // mov r4, times; mov r7, 20; svc 0; subs r4, r4, 1; bne -3; mov r0, 0; mov r7, 1; svc 0
      words(0xe3a04000 + times, 0xe3a07014, 0xef000000, 0xe2544001, 0x1afffffb, 0xe3a00000, 0xe3a07001, 0xef000000)
    : // mov esi, times; mov eax, 20; int 0x80; dec esi; jnz -10; xor ebx, ebx; mov eax, 1; int 0x80
      [0xbe, times, 0, 0, 0, 0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0x4e, 0x75, 0xf6, 0x31, 0xdb, 0xb8, 1, 0, 0, 0, 0xcd, 0x80];
  const headers = 84;
  const base = 0x10000;
  const size = headers + code.length;
  const file = new DataView(new ArrayBuffer(size));
  const put = (at: number, ...values: number[]) => {
    for (const [i, value] of values.entries()) {
      file.setUint32(at + 4 * i, value, true);
    }
  };
  put(0, 0x464c457f, 0x00010101);
  // An executable for this machine; where it starts, where the program header is, no sections.
  put(16, 2 + ((arm ? 40 : 3) << 16), 1, base + headers, 52, 0, arm ? 0x05000000 : 0, 52 + (32 << 16), 1);
  // All of it is loaded as one readable and executable piece.
  put(52, 1, 0, base, base, size, size, 5, 0x1000);
  const bytes = new Uint8Array(file.buffer);
  bytes.set(code, headers);
  return bytes;
}

/** Writes that program where it can be run; undefined, and the test is skipped, where the kernel does not run it. */
export function tinyProgramIn(t: TestContext, directory: TemporaryDirectory, times: number): string | undefined {
  const file = join(directory.path, 'tiny');
  writeFileSync(file, tinyProgram(times), { mode: 0o755 });
  const pid = trySpawn(file, ['tiny']);
  if (pid < 0) {
    t.skip('the kernel does not run 32-bit programs');
    return undefined;
  }
  waitStatus(pid);
  return file;
}

function words(...values: number[]): number[] {
  return values.flatMap((value) => [...new Uint8Array(Uint32Array.of(value).buffer)]);
}

/** The same for this machine's own kind of system calls, which are all that it makes: getpid(2), and exit(2). */
export function tinyNativeProgram(times: number): Uint8Array {
  const arm = process.arch === 'arm64';
  const code = arm
    ? // mov x19, times; mov x8, 172; svc 0; subs x19, x19, 1; b.ne -3; mov x0, 0; mov x8, 93; svc 0
      words(
        ...[0xd2800013 + (times << 5), 0xd2801588, 0xd4000001, 0xf1000673, 0x54ffffa1, 0xd2800000],
        ...[0xd2800ba8, 0xd4000001],
      )
    : // mov ebx, times; mov eax, 39; syscall; dec ebx; jnz -11; xor edi, edi; mov eax, 60; syscall
      [
        0xbb,
        times,
        0,
        0,
        0,
        0xb8,
        39,
        0,
        0,
        0,
        0x0f,
        5,
        0xff,
        0xcb,
        0x75,
        0xf5,
        0x31,
        0xff,
        0xb8,
        60,
        0,
        0,
        0,
        0x0f,
        5,
      ];
  const headers = 120;
  const base = 0x400000n;
  const size = BigInt(headers + code.length);
  const file = new DataView(new ArrayBuffer(headers + code.length));
  const put = (at: number, ...values: bigint[]) => {
    for (const [i, value] of values.entries()) {
      file.setBigUint64(at + 8 * i, value, true);
    }
  };
  // As above, in the longer form: what it is; where it starts, where the program header is.
  put(0, 0x00010102464c457fn, 0n, 2n + ((arm ? 183n : 62n) << 16n) + (1n << 32n));
  put(24, base + BigInt(headers), 64n, 0n, (64n << 32n) + (56n << 48n), 1n);
  put(64, 1n + (5n << 32n), 0n, base, base, size, size, 0x1000n);
  const bytes = new Uint8Array(file.buffer);
  bytes.set(code, headers);
  return bytes;
}
