import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The checkout: the directory that holds `test/vm/init`, whether this file runs from `dist/` or from the sources. */
export const repository = findRepository(import.meta.dirname);

/** Where QEMU and the kernels are kept between runs. `KSCOPE_VM_CACHE` moves it. */
export const cacheDirectory = process.env.KSCOPE_VM_CACHE || join(repository, '.cache', 'vm');

/** The shell programs of the guest, which the compiler does not copy to `dist/`. */
export const guestInit = join(repository, 'test/vm/init');
export const guestAgent = join(repository, 'test/vm/agent');

function findRepository(from: string): string {
  for (let directory = from; ; directory = dirname(directory)) {
    if (existsSync(join(directory, 'test/vm/init'))) return directory;
    if (directory === dirname(directory)) throw new Error(`no test/vm/init above ${from}`);
  }
}
