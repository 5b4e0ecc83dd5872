import bpf from '../bpf/kvmexit.bpf.ts';
import {
  accepted,
  commonOptions,
  filters,
  flag,
  integer,
  lettered,
  list,
  parseInteger,
  printedNames,
  top,
  tracepointFields,
} from '../lib/tool.ts';

/** Of the field isa. */
const VMX = 1;
/** Of the field ret, on arm64. */
const TRAP = 2;

/** Where the record has the first of these fields that it has; 0 for none. */
function place(...names: readonly string[]): number {
  const fields = tracepointFields('kvm', 'kvm_exit');
  return (
    names.map((name) => fields.find((field) => field.name === name)?.offset ?? 0).find((offset) => offset > 0) ?? 0
  );
}

export default top(bpf, {
  summary: 'Count why virtual machines are left, by reason.',
  area: 'kernel',
  activity: 'Tracing exits of virtual machines',
  description: `
Counts each time that a virtual processor of KVM stops running the guest and the kernel of the host takes over (tracepoint kvm:kvm_exit, whose record differs by architecture: where its fields are is read from the kernel), and prints at the end, or at each interval, how often that was for which reason, the most frequent first. The names of the reasons are those that the running kernel prints for the processor; a code that it has no name for is shown as a number. The process is the one that runs the virtual machine, and each virtual processor is a thread of it.

On arm64 the reason is the kind of instruction that was trapped, or what else happened (IRQ), and the number of the virtual processor is not known.

With --pid the threads of the process are added up, unless --alltids is given. Many exits are handled in the kernel, without the process taking notice.`,
  overhead:
    'About 11 µs for each exit in an emulated machine on a busy host, where everything takes more than ten times as long as on a processor (run time of the program).',
  options: {
    ...filters,
    tids: list('-T, --tids <TIDS>', 'only these threads', (tid) => parseInteger(tid, 1, 2 ** 22), {
      group: 'filter',
      conflicts: ['tid'],
    }),
    vcpu: integer('-v, --vcpu <NUMBER>', 'only the virtual processor of this number', {
      set: 'filter_vcpu',
      group: 'filter',
      hidden: ['--vcpu-id'],
    }),
    threads: flag('-a, --alltids', 'with --pid: each thread apart'),
    parallel: accepted('-m, --max-parallelism <COUNT>'),
    debug: accepted('-d, --debug'),
    timestamp: flag('--timestamp', 'print the time with each output', { group: 'output' }),
    verbose: lettered(commonOptions.verbose),
  },
  map: 'exits',
  meanings: {
    count: 'exits',
    how: 'whose virtualization it is; on arm64 whether an instruction was trapped',
    code: 'reason, as a number of the processor',
  },
  columns: {
    pid: {},
    tid: {},
    reason: { header: 'KVM_EXIT_REASON', width: 24 },
    count: {},
  },
  computed: {
    reason: { type: 'text_t', help: 'why the guest was left', value: ({ how, code }) => reasonName(how, code) },
  },
  sort: ['count', 'reason', 'pid'],
  attach: {
    lacks({ vcpu }) {
      if (tracepointFields('kvm', 'kvm_exit').length === 0) return undefined;
      if (place('exit_reason', 'esr_ec') === 0) return 'kvm:kvm_exit does not tell why';
      return vcpu !== undefined && place('vcpu_id') === 0
        ? 'kvm:kvm_exit does not tell the virtual processor'
        : undefined;
    },
  },
  prepare(object, { pid, tids, threads, vcpu }) {
    object.globals.set('how_at', place('isa', 'ret'));
    object.globals.set('code_at', place('exit_reason', 'esr_ec'));
    object.globals.set('vcpu_at', place('vcpu_id'));
    object.globals.set('per_thread', pid === undefined || threads);
    object.globals.set('one_vcpu', vcpu !== undefined);
    object.globals.set('some_threads', tids !== undefined);
  },
  loaded(object, { tids }) {
    for (const tid of tids ?? []) {
      object.map('filter_tids').set(tid, 1);
    }
  },
  absent: ({ pid, threads }) => (pid === undefined || threads ? [] : ['tid']),
  examples: {
    '': 'all virtual machines, until Ctrl-C',
    '-p 181 10 1': 'one of them, for 10 seconds',
    '-p 181 -v 0': 'its first processor',
  },
  sample: {
    before: 'A virtual machine of one processor, whose program writes 100 times to a port and halts:',
    args: '--comm tinymachine',
    output: `
PID TID KVM_EXIT_REASON COUNT
243 243 io                100
243 243 npf                 1
243 243 hlt                 1`,
    after:
      'Each write to the port is an exit, which the process has to handle. The one for nested paging (npf) is where the program was fetched first: its memory had no place in the tables of the processor yet.',
  },
});

let naming: ((how: number, code: number) => string | undefined) | undefined;

/** Codes without a name are shown as they are. */
function reasonName(how: number, code: number): string {
  naming ??= names();
  return naming(how, code) ?? `0x${code.toString(16)}`;
}

/**
 * The format has two lists. On x86 they are those of the vendors, and VMX has flags above the reason. On arm64 the first
 * is of what may happen, and the second of the instructions that may have been trapped.
 */
function names(): (how: number, code: number) => string | undefined {
  const [first, second] = printedNames('kvm', 'kvm_exit');
  if (place('esr_ec') > 0) {
    return (how, code) => (how === TRAP ? second?.get(code) : (first?.get(how) ?? `0x${how.toString(16)}`));
  }
  return (how, code) => (how === VMX ? first?.get(code & 0xffff) : (second?.get(code) ?? second?.get(code | 0)));
}
