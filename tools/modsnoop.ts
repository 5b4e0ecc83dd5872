import bpf from '../bpf/modsnoop.bpf.ts';
import { filters, flag, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace kernel modules: who asks for, loads and removes them.',
  area: 'kernel',
  activity: 'Tracing kernel modules',
  description: `
Prints a line for each module that is loaded (module:module_load) or taken away (module:module_free), and for each that the kernel itself asks user space for (module:module_request), with the thread in whose name it does: the name is then that of the module, or of a kind such as net-pf-10. A module is loaded before its own initialization has run: one that fails there is taken away again.

A call of init_module(2), finit_module(2) or delete_module(2) that failed has a line of its own, with the error. Its name is only known when a module was to be taken away.`,
  overhead:
    'About 0.1 ms for each module that is loaded or taken away (run time of the programs in an emulated guest with Linux 6.12, many times slower than a machine), which itself takes some ms.',
  options: {
    ...filters,
    noRequests: flag('--no-requests', 'leave out what the kernel asks for'),
  },
  meanings: {
    name: 'module, or the kind of module that was asked for',
  },
  columns: {
    time: {},
    pid: {},
    comm: {},
    action: {},
    error: { header: 'ERR' },
    name: {},
  },
  attach: {
    unwanted: ({ noRequests }) => (noRequests ? ['module_request__tp'] : []),
  },
  examples: {
    '': 'trace all modules',
    '--no-requests': 'trace what is loaded and taken away',
  },
  sample: {
    before: 'modprobe dummy, and then modprobe -r dummy:',
    args: '',
    output: `
TIME         PID COMM             ACTION  ERR     NAME
21:30:13     316 modprobe         load    -       dummy
21:30:15     317 modprobe         unload  -       dummy`,
    after:
      'The module was loaded and taken away by modprobe, which somebody had called. A line with the action request before a load would say that the kernel itself asked for the module, on behalf of that command.',
  },
});
