// The command line of llcstat for machines whose processors count nothing: page faults, which the kernel counts itself,
// stand in for the references to the cache, and those among them that had to read from a disk for the misses.
import { main } from '../../lib/cli/main.ts';
import { libc } from '../../lib/native/libc.ts';

const PERF_EVENT_OPEN = process.arch === 'arm64' ? 241 : 298;
const [HARDWARE, SOFTWARE] = [0, 1];
/** Cache references and misses; page faults and major ones. */
const stands = new Map([
  [2, 2],
  [3, 6],
]);
const { syscall } = libc;

Object.defineProperty(libc, 'syscall', {
  value(...args: Parameters<typeof syscall>) {
    const [number, attributes] = args;
    if (number === PERF_EVENT_OPEN && attributes instanceof Uint8Array) {
      const view = new DataView(attributes.buffer);
      const stand = stands.get(view.getUint32(8, true));
      if (view.getUint32(0, true) === HARDWARE && stand !== undefined) {
        view.setUint32(0, SOFTWARE, true);
        view.setUint32(8, stand, true);
      }
    }
    return syscall(...args);
  },
});

process.exit(await main(process.argv.slice(2), 'llcstat'));
