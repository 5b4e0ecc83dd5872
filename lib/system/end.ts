import { isLoaded } from '../native/koffi.ts';
import { libc } from '../native/libc.ts';

// Those who ask Node for a profile, for one, get it when Node ends.
let byNode = process.execArgv.length > 0 || process.env.NODE_OPTIONS !== undefined;

/** From now on Node has to end the process: it knows how a terminal was that it has changed. */
export function endByNode(): void {
  byNode = true;
}

/**
 * Ends the process, of which everything is written, at once. Node would wait for V8's compilers, of which one may wait for
 * this thread to collect garbage, and so for ever: https://github.com/nodejs/node/issues/54918
 */
export function endProcess(status: number): never {
  // What has traced nothing has hardly run: there is nothing to compile, and to load this would take longer than the rest.
  if (!byNode && isLoaded()) {
    process.emit('exit', status);
    libc._exit(status);
  }
  process.exit(status);
}
