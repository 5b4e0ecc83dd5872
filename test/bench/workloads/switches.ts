import { spawn } from 'node:child_process';
import { readSync, writeSync } from 'node:fs';
import { mustSyscall } from '../../helpers/syscall.ts';
import type { Workload } from './workload.ts';

function pipe(): [reader: number, writer: number] {
  const ends = new Int32Array(2);
  mustSyscall('pipe2', new Uint8Array(ends.buffer), 0);
  return [ends[0] as number, ends[1] as number];
}

/** A byte that goes to another process and comes back: both wake up, one after the other. */
export const switches: Workload = {
  unit: 'round trip',
  count: 100_000,
  start() {
    const [theirs, there] = pipe();
    const [here, back] = pipe();
    const echo = spawn('cat', [], { stdio: [theirs, back, 'inherit'] });
    process.on('exit', () => echo.kill());
    const byte = new Uint8Array(1);
    return {
      run(count) {
        for (let i = 0; i < count; i++) {
          writeSync(there, byte);
          readSync(here, byte);
        }
      },
    };
  },
};
