import bpf from '../bpf/cachestat.bpf.ts';
import { filters, memoryInfo, pageCache, top } from '../lib/tool.ts';

export default top(bpf, {
  summary: 'Count hits and misses of the page cache.',
  area: 'files',
  activity: 'Tracing the page cache',
  description: `
Prints at each interval how many pages were used through the page cache. An access is a page of which read(2) and its like return anything, or one that is mapped into memory when a program touches a mapped file. A miss is a page that was read into the cache; those that are read ahead count as well. Accesses without a miss are hits. What comes into the cache to be overwritten is no miss. DIRTIES are pages that became dirty. All numbers are pages, however large the folios are that the kernel keeps them in.

Calls are seen where filemap_read() returns (generic_file_buffered_read() before 5.12), or by filemap:mm_filemap_get_pages (6.12) where functions cannot be hooked, which does not tell of pages before one that still has to be waited for. sendfile(2) and splice(2) are seen where filemap_splice_read() returns, or by the same tracepoint. Pages of mapped files are seen from 6.12 on; before that they make misses, and no accesses. Files in memory (tmpfs), DAX and direct input and output do not use the cache this way, and are not seen.

BUFFERS and CACHED are those of /proc/meminfo.`,
  overhead:
    'About 0.4 µs for each call that reads and each page that comes into the cache or becomes dirty, measured on a busy 2-core virtual machine.',
  options: { ...filters, file: pageCache.file },
  map: 'uses',
  columns: {
    hits: {},
    misses: {},
    dirties: {},
    ratio: { header: 'HITRATIO', width: 8 },
    buffers: { header: 'BUFFERS_MB', width: 10, text: megabytes },
    cached: { header: 'CACHED_MB', width: 10, text: megabytes },
  },
  computed: {
    ...pageCache.computed,
    buffers: { type: 'bytes_t', help: 'cache of block devices in bytes', value: () => memoryInfo('Buffers') },
    cached: { type: 'bytes_t', help: 'page cache in bytes', value: () => memoryInfo('Cached') },
  },
  sort: ['hits'],
  interval: 1,
  idle: { accesses: 0, added: 0, written: 0, dirties: 0 },
  absent: () => ['comm'],
  meanings: pageCache.meanings,
  attach: pageCache.attach,
  prepare: pageCache.prepare,
  examples: {
    '': 'each second',
    '-T 5 3': 'every 5 seconds, three times, with the time',
    '-p 181': 'what process 181 does',
    '-f /var/lib/db/data 10': 'how one file is cached',
  },
  sample: {
    before: 'On a machine that compiles and tests:',
    args: '30 1',
    output: `
  HITS MISSES DIRTIES HITRATIO BUFFERS_MB CACHED_MB
175429    735    2614    99.58        104      5267`,
    after:
      'Of 176,164 pages that were looked for, 735 were not in memory and had to be read: 99.58 % were there. 2614 pages were written to. 5267 megabytes of memory hold files.',
  },
});

function megabytes(bytes: unknown): string {
  return String(Math.floor(Number(bytes) / 2 ** 20));
}
