import type { BpfObject } from '../bpf/object.ts';
import { fileIdentity } from '../system/file-identity.ts';
import { pageSize } from '../system/page-size.ts';
import { text } from './options.ts';

/** What programs with bpf/include/page-cache.h count of a key. */
interface Use {
  readonly accesses: number;
  readonly added: number;
  readonly written: number;
  readonly dirties: number;
}

/** Programs of bpf/include/page-use.h. */
const reads = [
  ['filemap_read__fexit'],
  ['filemap_read__kprobe', 'filemap_read__kretprobe'],
  ['buffered_read__fexit'],
  ['buffered_read__kprobe', 'buffered_read__kretprobe'],
  ['get_pages__tp_btf'],
] as const;
const uses = [
  'fault__tp_btf',
  'map_pages__tp_btf',
  'splice_read__fexit',
  'splice_read__kprobe',
  'splice_read__kretprobe',
] as const;

/** What is common to definitions whose program has bpf/include/page-use.h: pages of one file or of all. */
export const pageUse = {
  file: text('-f, --file <PATH>', 'only this file', { group: 'filter', completes: 'file' }),
  attach: { either: reads, optional: uses },
  prepare(object: BpfObject, { file }: { readonly file: string | undefined }): void {
    object.globals.set('page_shift', Math.log2(pageSize()));
    if (file !== undefined) {
      const { device, inode } = fileIdentity(file);
      object.globals.set('filter_dev', device);
      object.globals.set('filter_inode', inode);
    }
  },
} as const;

/** Hits and misses of the page cache, for definitions whose program has bpf/include/page-cache.h. */
export const pageCache = {
  ...pageUse,
  attach: { either: reads, optional: [...uses, 'dirty_folio__tp_btf', 'dirty_page__tp_btf'] },
  meanings: {
    accesses: 'pages that calls read, or that were mapped',
    added: 'pages that came into the cache',
    written: 'pages that came into the cache only to be written to',
    dirties: 'pages that became dirty',
  },
  computed: {
    misses: { type: 'count_t', help: 'pages that were read into the cache', value: missesOf },
    hits: {
      type: 'count_t',
      help: 'pages that were accessed and did not have to be read',
      value: (use: Use) => Math.max(0, use.accesses - missesOf(use)),
    },
    ratio: {
      type: 'percent_t',
      help: 'share of the hits among hits and misses; absent when there is neither',
      value: (use: Use) => percent(use.accesses - missesOf(use), Math.max(use.accesses, missesOf(use))),
    },
    write_ratio: {
      type: 'percent_t',
      help: 'share of the pages that were in the cache already among those that became dirty',
      value: ({ dirties, written }: Use) => percent(dirties - written, dirties),
    },
  },
} as const;

function missesOf({ added, written }: Use): number {
  return Math.max(0, added - written);
}

function percent(part: number, whole: number): number | undefined {
  return whole > 0 ? (100 * Math.max(0, part)) / whole : undefined;
}
