import bpf from '../bpf/lsds.bpf.ts';
import {
  blockDevices,
  commonOptions,
  deviceAttribute,
  flag,
  KscopeError,
  list,
  listing,
  nameMatcher,
  realSource,
  text,
} from '../lib/tool.ts';

interface Attribute {
  /** Files below /sys/block/DEVICE, the best first. */
  readonly from: readonly string[];
  readonly type: 'maybe_text_t' | 'maybe_count_t' | 'maybe_bytes_t';
  readonly help: string;
  /** Bytes of what the file counts in. */
  readonly unit?: number;
  /** Not among the columns that are always shown. */
  readonly extra?: true;
}

const queue = (file: string, type: Attribute['type'], help: string, unit = 1): Attribute => ({
  ...{ from: [`queue/${file}`], type, help, unit, extra: true },
});

/** By the names that columns have. */
const attributes: Readonly<Record<string, Attribute>> = {
  'MAJ:MIN': { from: ['dev'], type: 'maybe_text_t', help: 'major and minor number' },
  SIZE: { from: ['size'], type: 'maybe_bytes_t', help: 'size in bytes', unit: 512 },
  RO: { from: ['ro'], type: 'maybe_count_t', help: '1 when it is read-only' },
  TYPE: { from: ['uevent:DEVTYPE'], type: 'maybe_text_t', help: 'kind of device' },
  SCHED: { from: ['queue/scheduler'], type: 'maybe_text_t', help: 'scheduler of requests' },
  NR_RQ: { from: ['queue/nr_requests'], type: 'maybe_count_t', help: 'requests that fit into the queue' },
  ROT: { from: ['queue/rotational'], type: 'maybe_count_t', help: '1 when it rotates' },
  VENDOR: { from: ['device/vendor', 'device/device/vendor'], type: 'maybe_text_t', help: 'who made it' },
  MODEL: { from: ['device/model', 'device/name'], type: 'maybe_text_t', help: 'what the device calls itself' },
  QDEPTH: { from: ['device/queue_depth'], type: 'maybe_count_t', help: 'requests that the device takes at once' },
  WCACHE: { from: ['queue/write_cache'], type: 'maybe_text_t', help: 'how its cache of writes works' },
  WBT_LAT: queue('wbt_lat_usec', 'maybe_count_t', 'latency that writeback is throttled for, in microseconds'),
  LOGSEC: queue('logical_block_size', 'maybe_bytes_t', 'bytes of the smallest unit that can be addressed'),
  PHYSEC: queue('physical_block_size', 'maybe_bytes_t', 'bytes of the smallest unit that is written without reading'),
  HWSEC: queue('hw_sector_size', 'maybe_bytes_t', 'size of a sector in bytes'),
  MIN_IO: queue('minimum_io_size', 'maybe_bytes_t', 'bytes of the smallest request that it likes'),
  OPT_IO: queue('optimal_io_size', 'maybe_bytes_t', 'bytes of the request that it likes best'),
  MAX_RQ: queue('max_sectors_kb', 'maybe_bytes_t', 'bytes of the largest request that the kernel makes', 1024),
  MAX_HW: queue('max_hw_sectors_kb', 'maybe_bytes_t', 'bytes of the largest request that it can take', 1024),
  MAX_SEG: queue('max_segments', 'maybe_count_t', 'pieces of memory in a request'),
  READ_AHEAD: queue('read_ahead_kb', 'maybe_bytes_t', 'bytes that are read ahead', 1024),
  DISCARD: queue('discard_granularity', 'maybe_bytes_t', 'bytes of the unit in which blocks can be given up'),
  DISC_MAX: queue('discard_max_bytes', 'maybe_bytes_t', 'bytes of the largest request to give up blocks'),
  FUA: queue('fua', 'maybe_count_t', '1 when single writes can pass by the cache'),
  ZONED: queue('zoned', 'maybe_text_t', 'kind of zones'),
  NOMERGES: queue('nomerges', 'maybe_count_t', 'which merging of requests is off'),
  RQ_AFF: queue('rq_affinity', 'maybe_count_t', 'which processor completes requests'),
  IO_POLL: queue('io_poll', 'maybe_count_t', '1 when completions are polled for'),
  IOSTATS: queue('iostats', 'maybe_count_t', '1 when requests are counted'),
  REMOVABLE: { from: ['removable'], type: 'maybe_count_t', help: '1 when it can be taken out', extra: true },
  STATE: { from: ['device/state'], type: 'maybe_text_t', help: 'what the device is doing', extra: true },
  SERIAL: { from: ['device/serial', 'serial'], type: 'maybe_text_t', help: 'number of the piece', extra: true },
  REV: { from: ['device/rev', 'device/firmware_rev'], type: 'maybe_text_t', help: 'its firmware', extra: true },
  WWID: { from: ['device/wwid', 'wwid'], type: 'maybe_text_t', help: 'name that no other has', extra: true },
  BEHIND: {
    from: ['loop/backing_file', 'dm/name', 'backing_dev'],
    type: 'maybe_text_t',
    help: 'what is behind it',
    extra: true,
  },
};

/** Those of other tools. */
const widths: Readonly<Record<string, number>> = { SIZE: 8, TYPE: 5 };
const names = ['DEVNAME', ...Object.keys(attributes)];
const usual = names.filter((name) => attributes[name]?.extra !== true);

export default listing(bpf, {
  summary: 'List block devices, and how their queues are set.',
  area: 'disks',
  activity: 'Listing block devices',
  description: `
Lists the block devices of the machine with what the kernel says of each in /sys/block: what it is, how large, and how its queue of requests is set. Partitions are not shown, since the queue is that of the whole device, and devices without a size, such as loop devices that nobody uses, only with --all. What a device does not tell is left empty.

With --list the columns that there are, and the files that they are read from. With --pivot each value has a line of its own, with --verbose followed by its file: there most settings can be changed. VENDOR may be a number (of PCI or virtio).`,
  overhead:
    'Nothing runs in the kernel. Listing takes about 0.7 ms of processor time for each device in /sys/block (measured on a busy 2-core virtual machine).',
  options: {
    device: text('[device]', "only devices of this name: 'nvme*'", { group: 'filter' }),
    columns: list('-c, --columns <COLUMNS>', 'show only these columns', columnName, {
      group: 'column',
      conflicts: ['add'],
    }),
    add: list('-a, --add <COLUMNS>', 'also show these columns', columnName, { group: 'column' }),
    list: flag('-l, --list', 'list the columns, and do nothing else'),
    pivot: flag('-p, --pivot', 'print a line for each value', { group: 'output' }),
    realpath: flag('-r, --realpath', 'show where files really are, below the devices', { group: 'column' }),
    all: flag('--all', 'also devices without a size'),
    verbose: { ...commonOptions.verbose, group: 'column', summary: 'also show the files, with a line for each value' },
  },
  rows({ device = '*', columns, add = [], list: listed, pivot, realpath, all, verbose }) {
    if (listed) {
      return names.map((column) => ({ column, source: attributes[column]?.from.join(' or ') ?? 'the name itself' }));
    }
    const matches = nameMatcher(device.replace(/^\/dev\//, ''), false);
    const found = blockDevices()
      .filter(matches)
      .map((devname) => ({ devname, values: valuesOf(devname) }))
      .filter(({ values }) => all || Number(values.get('SIZE')?.value ?? 0) > 0);
    if (!pivot && !verbose) {
      return found.map(({ devname, values }) => ({
        devname,
        ...Object.fromEntries([...values].map(([name, { value }]) => [fieldOf(name), value])),
      }));
    }
    const wanted = columns ?? [...usual, ...add];
    return found.flatMap(({ devname, values }) =>
      [...values]
        .filter(([name]) => wanted.includes(name))
        .map(([column, { value, source }]) => ({
          devname,
          column,
          value: String(value),
          source: realpath ? realSource(source) : source,
        })),
    );
  },
  readBy: 'anybody',
  fields: {
    devname: { type: 'maybe_text_t', help: 'name of the device' },
    ...Object.fromEntries(Object.entries(attributes).map(([name, { type, help }]) => [fieldOf(name), { type, help }])),
    column: { type: 'maybe_text_t', help: 'name of a column' },
    value: { type: 'maybe_text_t', help: 'what it has for the device' },
    source: { type: 'maybe_text_t', help: 'file that says so' },
  },
  columns: {
    devname: { width: 8, unless: 'list' },
    ...Object.fromEntries(
      Object.entries(attributes).map(([name, { extra }]) => [
        fieldOf(name),
        {
          header: name,
          width: widths[name] ?? name.length,
          shown: ({ columns, add, list: listed, pivot, verbose }: Chosen) =>
            !listed && !pivot && !verbose && (columns ?? [...(extra ? [] : [name]), ...(add ?? [])]).includes(name),
        },
      ]),
    ),
    column: { when: ['list', 'pivot', 'verbose'], width: 10 },
    value: { when: ['pivot', 'verbose'], width: 16 },
    source: { when: ['list', 'verbose'], width: 21 },
  },
  examples: {
    '': 'all devices that have a size',
    '-a LOGSEC,PHYSEC,DISCARD': 'the same with sizes of sectors and of discards',
    '-c DEVNAME,SCHED,NR_RQ': 'how requests are scheduled',
    "-v -a WBT_LAT 'sd*'": 'settings of these disks, and the files to change them',
    '-l': 'the columns that there are',
  },
  sample: {
    before: 'A machine with a virtual disk, and a file that is used as a read-only disk with sectors of 4 KB:',
    args: '-c DEVNAME,SIZE,RO,SCHED,NR_RQ,ROT,WCACHE,WBT_LAT,LOGSEC,PHYSEC',
    output: `
DEVNAME   SIZE RO SCHED       NR_RQ ROT WCACHE        WBT_LAT LOGSEC PHYSEC
loop0    64.0M  1 none          128   1 write through    2000   4.0K   4.0K
vda     256.0G  0 mq-deadline   256   1 write back      75000    512   4.0K`,
    after:
      'The disk says that it rotates (ROT), and so it got a scheduler and a generous time for writeback; where it is really flash, that is to be told to the kernel. Requests that are no multiple of its physical sectors (PHYSEC) are read before they are written.',
  },
});

interface Chosen {
  readonly columns?: readonly string[];
  readonly add?: readonly string[];
  readonly list?: boolean;
  readonly pivot?: boolean;
  readonly verbose?: boolean;
}

interface Told {
  readonly value: string | number;
  readonly source: string;
}

/** What a device tells, by the names of columns. */
function valuesOf(device: string): ReadonlyMap<string, Told> {
  const told = new Map<string, Told>();
  for (const [name, { from, type, unit = 1 }] of Object.entries(attributes)) {
    const { text: said, source } = deviceAttribute(device, from) ?? {};
    if (said !== undefined && source !== undefined) {
      // Of several schedulers, the one in brackets is in use.
      const chosen = /\[(.+?)\]/.exec(said)?.[1] ?? said;
      const value = type === 'maybe_text_t' ? chosen : Number(said) * unit;
      if (typeof value === 'string' || Number.isFinite(value)) {
        told.set(name, { value, source });
      }
    }
  }
  return told;
}

function fieldOf(column: string): string {
  return column.toLowerCase().replace(':', '_');
}

function columnName(given: string): string {
  const name = given.toUpperCase();
  if (!names.includes(name)) {
    throw new KscopeError('usage', `there is no column '${given}'`, { hint: `columns: ${names.join(', ')}` });
  }
  return name;
}
