import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Actor } from './actor.ts';
import type { Call } from './actor-main.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

/**
 * Has a process call functions of the kernel so many times: vfs_mkdir, and vfs_readlink, which has 7 bytes to return. No
 * kernel has put them into their callers; 5.10 has done so with vfs_rmdir.
 */
export async function callKernel(actor: Actor, times: { readonly mkdir: number; readonly readlink: number }) {
  using place = new TemporaryDirectory();
  const link = join(place.path, 'link');
  symlinkSync('nowhere', link);
  const room = Buffer.alloc(16);
  const folders = Array.from({ length: times.mkdir }, (_, i) => join(place.path, `d${i}`));
  const makes = folders.map((folder): Call => ({ name: 'mkdirat', args: [-100, folder, 0o700] }));
  const read: Call = { name: 'readlinkat', args: [-100, link, room, room.length] };
  await actor.perform([...makes, ...new Array<Call>(times.readlink).fill(read)]);
}
