import bpf from '../bpf/biolatpcts.bpf.ts';
import {
  choice,
  commonOptions,
  diskFilter,
  diskName,
  histogram,
  KscopeError,
  lettered,
  list,
  parseSeconds,
  requestFlags,
  seconds,
  units,
} from '../lib/tool.ts';

const usual = [1, 5, 10, 16, 25, 50, 75, 84, 90, 95, 99, 100];

export default histogram(bpf, {
  summary: 'Show percentiles of the latency of disks.',
  area: 'disks',
  activity: 'Tracing the latency of disks',
  description: `
Measures how long the requests to a disk, or to all disks, take and prints, every 3 seconds, percentiles for each kind of request: the time that so many per cent of them did not exceed. Times are known to 6 %, and to a microsecond below 32.

At SIGUSR1 it prints at once what has come since the output before; at SIGUSR2 too, but the next output has that once more. With -i -1 that is all there is before the end; with -i 0 it ends as soon as everything is attached, which shows whether it can run.

The time counts to the completion of the request (block:block_rq_complete), with --which on-device (the usual) from when it was given to the driver (block:block_rq_issue), with after-rq-alloc from when it was made (block:block_io_start; before Linux 6.5: queued or issued), and with from-rq-alloc from when the kernel began to look for room for it, which it only records where the I/O cost controller is in use: otherwise that is the same as after-rq-alloc.`,
  overhead: 'About 1.4 µs for each request (run time of the programs on a busy 2-core virtual machine).',
  options: {
    json: lettered(commonOptions.json, 'j'),
    disk: {
      ...diskFilter.disk,
      flags: '[disk]',
      summary: 'only this disk, by its name or MAJ:MIN; otherwise all, each apart',
    },
    interval: {
      ...seconds(
        '-i, --interval <SECONDS>',
        'seconds between outputs; usually 3; 0: one, at once; -1: one, at the end',
      ),
      parse: (given: string) => (given === '0' || given === '-1' ? Number(given) : parseSeconds(given)),
    },
    which: choice('-w, --which <SPAN>', 'what to measure; usually on-device', [
      'from-rq-alloc',
      'after-rq-alloc',
      'on-device',
    ]),
    percents: list('-p, --pcts <PERCENTILES>', `percentiles to print; usually ${usual.join(',')}`, percent, {
      hidden: ['--percentiles'],
    }),
  },
  map: 'hists',
  unit: () => units.usecs,
  keys: { disk: { width: 9 }, operation: {} },
  computed: {
    disk: { type: 'text_t', help: 'disk', value: ({ dev }) => diskName(dev) },
    operation: {
      type: 'text_t',
      help: 'read, write, flush, discard..., as the kernel names it',
      value: ({ op }) => requestFlags(op),
    },
  },
  percentiles: ({ percents }) => percents ?? usual,
  interval: 3,
  shownOn: { ends: 'SIGUSR1', keeps: 'SIGUSR2' },
  attach: {
    either: [['block_io_start__tp_btf'], ['block_rq_insert__tp_btf']],
    optional: ['block_rq_merge__tp_btf'],
  },
  prepare(object, { which }) {
    object.globals.set('since_made', which === 'after-rq-alloc');
    object.globals.set('since_allocation', which === 'from-rq-alloc');
  },
  examples: {
    '': 'the latency of all disks, every 3 seconds',
    sda: 'that of one disk',
    '8:0 10 6': 'every 10 seconds, a minute long',
    '8:0 -i -1': 'one disk, until Ctrl-C, or when SIGUSR1 or SIGUSR2 asks',
    'sda -p 50,99,99.9 -w after-rq-alloc': 'three percentiles, with the time in the queue',
  },
  sample: {
    before:
      'Three times, dd writes 20 blocks of 64 kilobytes to a file, with an fsync at the end, and another dd reads 50 blocks of 4 kilobytes past the page cache:',
    args: 'vda -p 50,90,99,100 -i -1',
    output: `
DISK OPERATION COUNT    p50    p90    p99   p100
vda  Read        150 36.0us 43.0us  102us  144us
vda  Write         8 50.0us  806us  829us  832us
vda  Flush         3 29.0us 29.0us 29.0us 29.0us
vda  Discard       2  320us  381us  384us  384us`,
    after:
      'Half of the reads took up to 36 microseconds, and 99 % of them no more than 102. Half of the writes took up to 50, but the slowest 832: an average would say neither.',
  },
});

function percent(given: string): number {
  const value = /^\d+(\.\d+)?$/.test(given) ? Number(given) : Number.NaN;
  if (!(value > 0 && value <= 100)) {
    throw new KscopeError('usage', `'${given}' is not a number above 0 and up to 100`);
  }
  return value;
}
