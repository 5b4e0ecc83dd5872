import bpf from '../bpf/bpflist.bpf.ts';
import { bpfHolders, bpfName, flag, type Holder, lettered, rowFilters, snapshot } from '../lib/tool.ts';

const filter = { group: 'filter' } as const;
const types = {
  prog: ['bpf_prog_type', 'BPF_PROG_TYPE_'],
  map: ['bpf_map_type', 'BPF_MAP_TYPE_'],
  link: ['bpf_link_type', 'BPF_LINK_TYPE_'],
} as const;

let holders: ReadonlyMap<string, readonly Holder[]> = new Map();

export default snapshot(bpf, {
  summary: 'List the BPF programs, maps and links, and who holds them.',
  area: 'kernel',
  activity: 'Listing BPF objects',
  description: `
Prints a line for each BPF program, map and link of the machine, with its number, type and name, and the processes that have a descriptor of it: whoever is behind it, as long as it runs. An object without a process is pinned in a BPF file system, attached where no descriptor is needed (as to a network device), or held by another object: the map by the program that uses it. SIZE is the number of instructions of a program, of entries that a map has room for, and the number of the program that a link attaches. Programs, maps and links of this tool itself are not shown.

Names of types are those of the running kernel. Processes are looked for in /proc: those of other PID namespaces are only found from the first one. Links are listed from Linux 5.19 on. The time that programs take is what kscope tells of its own tools with --stats.`,
  overhead:
    'Nothing but the time of each list: 0.3 µs for each object in the kernel, and about 30 ms of processor time for 9 objects and 400 descriptors of all processes (measured on a busy 2-core virtual machine).',
  options: {
    programs: flag('-p, --programs', 'only programs', filter),
    maps: flag('-m, --maps', 'only maps', filter),
    links: flag('-l, --links', 'only links', filter),
    pid: { ...lettered(rowFilters.pid), summary: 'only what this process holds' },
  },
  rows(records, { programs, maps, links, pid }) {
    holders = bpfHolders();
    const kinds = { prog: programs, map: maps, link: links };
    const any = programs || maps || links;
    return records.filter(({ object, id }) => {
      const own = holders.get(`${object} ${id}`) ?? [];
      const mine = own.length > 0 && own.every((one) => one.pid === process.pid);
      return (
        !mine &&
        (!any || kinds[object as keyof typeof kinds]) &&
        (pid === undefined || own.some((one) => one.pid === pid))
      );
    });
  },
  meanings: {
    name: 'name of the object',
    id: 'id of the program, map or link',
    code: "type, as the kernel's number of it",
    size: 'instructions of a program, entries of a map, or id of the program of a link',
  },
  computed: {
    kind: { type: 'text_t', help: 'type of the object', value: ({ object, code }) => kindOf(object, code) },
    holders: {
      type: 'maybe_text_t',
      help: 'processes that have a descriptor of it',
      value: ({ object, id }) =>
        holders
          .get(`${object} ${id}`)
          ?.map(({ pid, comm }) => `${comm}(${pid})`)
          .join(', '),
    },
  },
  columns: {
    object: { width: 6 },
    id: { width: 6 },
    kind: { header: 'TYPE', width: 16 },
    name: {},
    size: { width: 8 },
    holders: { header: 'HELD BY' },
  },
  attach: { optional: ['links'] },
  examples: {
    '': 'all BPF objects',
    '-p': 'all programs',
    '--pid 181': 'what process 181 has',
  },
  sample: {
    before: 'opensnoop is running:',
    args: '--pid 4025',
    output: `
OBJECT     ID TYPE         NAME               SIZE HELD BY
prog   497485 tracepoint   open__tp            177 node(4025)
prog   497487 tracepoint   creat__tp           168 node(4025)
prog   497488 tracepoint   openat__tp          182 node(4025)
prog   497489 tracepoint   openat2__tp         200 node(4025)
map    578625 hash         filter_mntnsmap       1 node(4025)
map    578626 ringbuf      events          8388608 node(4025)
map    578628 stack_trace  stacks                1 node(4025)
map    578631 array        opensnoo.rodata       1 node(4025)
link   209460 perf_event   open__tp         497485 node(4025)
link   209461 perf_event   creat__tp        497487 node(4025)`,
    after:
      'The size of a program is in instructions, that of a map in entries, and a link says which program it attaches; some lines are left out. All of it is held by one process, so all of it will go when that ends. What is held by nobody here is pinned or attached for good: HELD BY is - then.',
  },
});

function kindOf(object: string, code: number): string {
  const [tag, prefix] = types[object as keyof typeof types];
  return bpfName(tag, prefix, code);
}
