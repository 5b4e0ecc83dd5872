import bpf from '../bpf/fsnotify.bpf.ts';
import { escapeText, filters, flag, integer, KscopeError, snoop } from '../lib/tool.ts';

/** The bits that inotify(7) and fanotify(7) have in common, which are part of the interface of the kernel. */
const bits: readonly (readonly [number, string])[] = [
  [0x1, 'ACCESS'],
  [0x2, 'MODIFY'],
  [0x4, 'ATTRIB'],
  [0x8, 'CLOSE_WRITE'],
  [0x10, 'CLOSE_NOWRITE'],
  [0x20, 'OPEN'],
  [0x40, 'MOVED_FROM'],
  [0x80, 'MOVED_TO'],
  [0x100, 'CREATE'],
  [0x200, 'DELETE'],
  [0x400, 'DELETE_SELF'],
  [0x800, 'MOVE_SELF'],
  [0x1000, 'OPEN_EXEC'],
  [0x2000, 'UNMOUNT'],
  [0x4000, 'Q_OVERFLOW'],
  [0x10000, 'OPEN_PERM'],
  [0x20000, 'ACCESS_PERM'],
  [0x40000, 'OPEN_EXEC_PERM'],
  [0x100000, 'PRE_ACCESS'],
  [0x10000000, 'RENAME'],
  [0x40000000, 'ISDIR'],
];

const groupOption = {
  flags: '--tracer-group <ADDRESS>',
  summary: 'only this group of inotify or fanotify, by the address that --group shows',
  group: 'filter' as const,
  parse(given: string): string {
    if (!/^(0x)?[0-9a-f]{1,16}$/i.test(given)) {
      throw new KscopeError('usage', `'${escapeText(given)}' is not an address`);
    }
    return String(BigInt(`0x${given.replace(/^0x/i, '')}`));
  },
} as const;

export default snoop(bpf, {
  summary: 'Trace what inotify and fanotify tell to whom, and who did it.',
  area: 'files',
  activity: 'Tracing events of inotify and fanotify',
  description: `
Prints a line for each event of inotify(7) or fanotify(7) when it is read. TRACER is who reads it; PID and COMM are the process that did what it tells. MASK are the kinds of the event, as the manual pages call them without IN_ or FAN_, and NAME is the name of the file within its directory, when the event has it. With fanotify, whose events may ask for a permission, the line comes with the answer, and RESP is that.

The filters are for the process that did something. Events that were queued before the tracing began are not shown; nor is an event that is merged into an equal one that still waits, which has the process that was first, or one that found the queue full. An event that nobody reads is not shown. The hooks are the functions of the kernel that queue an event, take it from the queue and throw it away (fsnotify_insert_event, fsnotify_remove_first_event, fsnotify_destroy_event).`,
  overhead:
    '14 µs for each event in an emulated machine, which is much slower than a real one; not measured on such a one.',
  options: {
    ...filters,
    pid: { ...filters.pid, summary: 'only what this process did', hidden: ['--tracee-pid'] },
    tracer: integer('--tracer-pid <PID>', 'only what this process reads', {
      group: 'filter',
      set: 'filter_tracer',
      min: 1,
    }),
    group: { ...groupOption, set: 'filter_group', encode: BigInt },
    inotify: flag('-i, --inotify-only', 'only inotify', {
      group: 'filter',
      set: 'inotify_only',
      conflicts: ['fanotify'],
    }),
    fanotify: flag('-f, --fanotify-only', 'only fanotify', {
      group: 'filter',
      set: 'fanotify_only',
      conflicts: ['inotify'],
    }),
  },
  meanings: {
    group: 'group of watches, by its address in the kernel',
    name: 'name of the file in its directory',
    mask: 'what happened, a bit for each event',
  },
  computed: {
    events: {
      type: 'text_t',
      help: 'kinds of the event, between |',
      value: ({ kind, mask }) => eventNames(kind, mask),
    },
  },
  columns: {
    time: { flag: '-T, --timestamp' },
    kind: { header: 'TYPE', width: 8 },
    tracer: { width: 7 },
    tracer_comm: { header: 'TCOMM', width: 16 },
    pid: {},
    comm: {},
    latency: {
      flag: '-l, --latency',
      summary: 'show the time from the event to its reading',
      header: 'LAT(us)',
      width: 10,
      text: (ns) => String(Math.round(ns / 1000)),
    },
    response: { header: 'RESP', width: 5, text: (response) => (response === 'none' ? '' : response) },
    events: { header: 'MASK', width: 24 },
    group: { flag: '-g, --group', summary: 'show the address of the group of inotify or fanotify' },
    name: {},
  },
  attach: { either: [['insert__fentry'], ['add__fentry']] },
  examples: {
    '': 'trace all',
    '-p 181': 'who is told of what process 181 does',
    '--tracer-pid 181 -T': 'what process 181 is told, with the time',
  },
  sample: {
    before: 'tail -f watches a file, to which a shell adds three lines:',
    args: '--tracer-pid 613',
    output: `
TYPE      TRACER TCOMM                PID COMM             RESP  MASK                     NAME
INOTIFY      613 tail                 685 sh                     MODIFY                   -
INOTIFY      613 tail                 685 sh                     MODIFY                   -
INOTIFY      613 tail                 685 sh                     MODIFY                   -`,
    after:
      'Each write of the shell woke tail once. There is no name because tail watches the file itself and not its directory.',
  },
});

function eventNames(kind: string, mask: number): string {
  // Of one meaning with inotify and another one with fanotify.
  const all = [...bits, [0x8000, kind === 'INOTIFY' ? 'IGNORED' : 'ERROR'] as const];
  const names = all.filter(([bit]) => (mask & bit) !== 0).map(([, name]) => name);
  return names.length === 0 ? `0x${(mask >>> 0).toString(16)}` : names.join('|');
}
