/**
 * A 32-bit program, as a file, that asks for its pid that many times and ends: for the other kind of system calls that
 * this machine may know.
 */
export function tinyProgram(times: number): Uint8Array {
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

function words(...values: number[]): number[] {
  return values.flatMap((value) => [...new Uint8Array(Uint32Array.of(value).buffer)]);
}
