import bpf from '../bpf/readahead.bpf.ts';
import { durationOption, filters, histogram, pageUse, units } from '../lib/tool.ts';

interface Ages {
  readonly read_so_far?: number | undefined;
  readonly used_so_far?: number | undefined;
}

export default histogram(bpf, {
  summary: 'Show whether pages that are read ahead are used, and how soon.',
  area: 'files',
  activity: 'Tracing reading ahead',
  description: `
Follows each page that the kernel reads into the page cache ahead of its use: page_cache_ra_unbounded() and page_cache_ra_order(), which also read the page that was asked for, and what readahead(2) and posix_fadvise(2) ask for. Printed is how many there were since the start, how many of them nobody has used so far, whether they are still in the cache or not, and for those that were used in the interval how much later that was. A page is used when a call that has read it returns, or when it becomes mapped into memory: the kernel maps pages around the one that is touched. Each page counts, however large the folios are that the kernel keeps them in. Writing to a page is no use of it.

Reads are seen where filemap_read() returns (generic_file_buffered_read() before 5.12), or by filemap:mm_filemap_get_pages (6.12) and where system calls return if functions cannot be hooked; mapped pages by filemap:mm_filemap_fault and mm_filemap_map_pages (6.12), or else where filemap_fault() and filemap_map_pages() return. Of a call that reads more than 1024 pages the rest is not followed, and counted as lost. The filters are for who has the pages read ahead: any process may use them.`,
  overhead:
    'About 0.2 µs for each call that reads a file and 0.06 µs for each page of it, 0.7 µs for each fault on a page of a file and 0.5 µs for each folio that comes into the cache or leaves it (run time of the programs on a busy 2-core virtual machine).',
  options: {
    ...filters,
    file: pageUse.file,
    duration: durationOption,
  },
  map: 'hists',
  unit: () => units.msecs,
  keys: { unused: {}, pages: {} },
  computed: {
    pages: {
      type: 'count_t',
      help: 'pages read ahead since the start',
      value: ({ read_so_far = 0 }: Ages) => read_so_far,
    },
    unused: {
      type: 'count_t',
      help: 'pages read ahead since the start that were not used so far',
      value: ({ read_so_far = 0, used_so_far = 0 }: Ages) => Math.max(0, read_so_far - used_so_far),
    },
  },
  attach: {
    either: [
      ...pageUse.attach.either.slice(0, -1),
      ['get_pages__tp_btf', 'read__tp', 'pread64__tp', 'readv__tp', 'preadv__tp', 'preadv2__tp'],
    ],
    optional: [
      ...pageUse.attach.optional,
      'fault__fexit',
      'map_pages__fexit',
      'order__tp',
      'order__fentry',
      'order__fexit',
      'order__kprobe',
      'order__kretprobe',
    ],
  },
  prepare: pageUse.prepare,
  examples: {
    '': 'until Ctrl-C',
    '-p 181 10': 'what is read ahead for process 181, every 10 seconds',
    '-f /var/lib/db/data --duration 60': 'of one file, for a minute',
  },
  sample: {
    before:
      'A file of 8 MiB, nothing of which is in the page cache, is read by dd. It is dropped from the cache again, and another dd reads two blocks of 4 kilobytes in the middle:',
    args: '--comm dd',
    output: `
unused = 3
pages = 2053
          msecs           : count    distribution
         0 -> 1          : 96       |*****                                   |
         2 -> 3          : 242      |*************                           |
         4 -> 7          : 496      |****************************            |
         8 -> 15         : 512      |*****************************           |
        16 -> 31         : 704      |****************************************|`,
    after:
      '2048 pages are the whole file, and all were used within 32 milliseconds. Of the 5 that were read for the second dd, 3 were of no use. Many unused pages would speak for less reading ahead (POSIX_FADV_RANDOM, or blockdev --setra).',
  },
});
