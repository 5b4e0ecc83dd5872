import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Makes a folder have these files and no others. A file that is right is left alone, one that is not is replaced at
 * once, so that a command can be started while it is built again.
 */
export async function writeFolder(folder: string, files: ReadonlyMap<string, string>, mode: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, text] of files) {
    const path = join(folder, name);
    if ((await readFile(path, 'utf8').catch(() => undefined)) !== text) {
      const fresh = `${path}.${process.pid}`;
      await writeFile(fresh, text);
      await rename(fresh, path);
    }
    await chmod(path, mode);
  }
  for (const name of await readdir(folder)) {
    if (!files.has(name)) {
      await rm(join(folder, name), { recursive: true });
    }
  }
}
