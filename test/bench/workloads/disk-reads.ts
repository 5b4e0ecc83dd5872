import { closeSync, constants, openSync, readSync } from 'node:fs';
import { MappedMemory } from '../../../lib/native/memory.ts';
import { LoopDisk } from '../../helpers/loop-disk.ts';
import type { Workload } from './workload.ts';

const BLOCK = 4096;
const BLOCKS = 256;

/** Reads past the page cache from a disk of its own. */
export const diskReads: Workload = {
  unit: 'read',
  count: 20_000,
  start() {
    const disk = new LoopDisk(BLOCK * BLOCKS);
    process.on('exit', () => disk[Symbol.dispose]());
    const fd = openSync(disk.path, constants.O_RDONLY | constants.O_DIRECT);
    process.on('exit', () => closeSync(fd));
    // What is read past the cache has to go to an address that is a multiple of the block.
    const block = new Uint8Array(MappedMemory.private(BLOCK).buffer);
    return {
      run(count) {
        for (let i = 0; i < count; i++) {
          readSync(fd, block, 0, BLOCK, (i % BLOCKS) * BLOCK);
        }
      },
    };
  },
};
