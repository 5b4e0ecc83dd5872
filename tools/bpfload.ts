import bpf from '../bpf/bpfload.bpf.ts';
import { bpfName, failedOnly, filters, flag, snoop } from '../lib/tool.ts';

const MAP_CREATE = 0;
const PROG_LOAD = 5;
const NO_TYPE = 2 ** 32 - 1;

export default snoop(bpf, {
  summary: 'Trace who loads BPF programs, makes BPF maps and attaches them.',
  area: 'kernel',
  activity: 'Tracing the loading of BPF',
  description: `
Prints a line for each call of bpf(2) that loads a program, makes a map or a link, attaches, detaches or pins, when it returns: with the type and name of what was made, the instructions of a program or the entries of a map, and the descriptor or the error. Names of commands and types are those of the running kernel. The calls of this tool itself are not shown.

What was to be made is read from the memory of the caller after the call: another thread could have changed it. A program may also be attached without bpf(2), by an event of perf_event_open(2) or a socket. Libraries try out what a kernel can do: failed calls, and programs without a name that are loaded at the start of a tracer, are mostly that.`,
  overhead:
    'About 0.1 µs for each call of bpf(2), and 1 µs for each that has a line (measured on a busy 2-core virtual machine), where loading a program takes hundreds.',
  options: {
    ...filters,
    failed: failedOnly,
    all: flag('-a, --all', 'also other calls, such as those that read maps', { set: 'all_commands' }),
  },
  meanings: {
    name: 'name of the object',
    cmd: 'command of bpf(2), as a number',
    code: 'type of the map, program or attachment, as a number',
    size: 'instructions of a program, or entries of a map',
  },
  computed: {
    call: { type: 'text_t', help: 'command of bpf(2)', value: ({ cmd }) => commandName(cmd) },
    kind: {
      type: 'maybe_text_t',
      help: 'type of the program, map or attachment',
      value: ({ cmd, code }) => (code === NO_TYPE ? undefined : typeName(cmd, code)),
    },
  },
  columns: {
    time: {},
    pid: {},
    comm: {},
    call: { width: 19 },
    kind: { header: 'TYPE', width: 18 },
    name: {},
    size: {},
    fd: {},
    error: { header: 'ERR' },
  },
  examples: {
    '': 'trace who uses BPF',
    '-x': 'trace what the kernel refused',
    '-a -p 181': 'trace all that process 181 does with BPF',
  },
  sample: {
    before: 'Another tool of kscope is started, and ends after a short time:',
    args: '--fields call,kind,name,size,fd -- exitsnoop --duration 0.2',
    output: `
CALL                TYPE               NAME                 SIZE   FD
prog_load           socket_filter      libbpf_nametest         2   18
map_create          array              libbpf_mmap             1   18
map_create          ringbuf            events            8388608   18
map_create          cgroup_array       filter_cgroup_a         1   19
map_create          hash               filter_cgroupma         1   20
map_create          array              exitsnoo.rodata         1   23
prog_load           tracepoint         process_exit__t       441   25
link_create         perf_event         -                       0   27`,
    after:
      'First libbpf tries what the kernel can do, then the maps are made, the one program of 441 instructions is loaded, and it is attached; some lines are left out. On a machine where nobody should use BPF, any line is worth a look: without --fields it tells who it was.',
  },
});

function commandName(command: number): string {
  return bpfName('bpf_cmd', 'BPF_', command);
}

function typeName(command: number, code: number): string {
  return command === MAP_CREATE
    ? bpfName('bpf_map_type', 'BPF_MAP_TYPE_', code)
    : command === PROG_LOAD
      ? bpfName('bpf_prog_type', 'BPF_PROG_TYPE_', code)
      : bpfName('bpf_attach_type', 'BPF_', code);
}
