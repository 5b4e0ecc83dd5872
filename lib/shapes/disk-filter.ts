import { diskNumber } from '../system/disks.ts';
import { text } from './options.ts';

/** For programs with `bpf/include/block.h`: only one disk, by its name. */
export const diskFilter = {
  disk: text('-d, --disk <DISK>', 'only requests of this disk', {
    set: 'filter_disk',
    encode: (name) => diskNumber(name),
    group: 'filter',
  }),
};
