import bpf from '../bpf/uflow.bpf.ts';
import { atMethods, languageAliases, methodName, methodNotes, methodOptions, snoop, text } from '../lib/tool.ts';

const runtimes = atMethods();

export default snoop(bpf, {
  summary: 'Trace how methods call each other.',
  area: 'programs',
  activity: 'Tracing calls of methods',
  description: `
Prints a line when a method is called (->) and when it returns (<-), indented by how many calls of its thread are under way. Calls that began before the tracing are not among these. --class and --method leave lines out, not calls: the others are indented as they were.
${methodNotes} Where only the ends are said, nothing is indented.

Of a class (of Python the file, of Perl the package) the first 127 bytes are kept, of a method 63.`,
  overhead:
    'About 2 µs for each call, also of methods whose lines are left out, where a function of PHP that does nothing takes 0.01 (measured on a busy 2-core virtual machine). A loop of such calls is faster than lines can be printed: some are lost.',
  options: {
    ...methodOptions,
    class: text('-C, --class <PREFIX>', 'only classes whose name begins with PREFIX', {
      set: 'class_prefix',
      group: 'filter',
    }),
    method: text('-M, --method <PREFIX>', 'only methods whose name begins with PREFIX', {
      set: 'method_prefix',
      group: 'filter',
    }),
  },
  meanings: {
    class: 'class of the method',
    method: 'method without its class',
    depth: 'how many calls are under way that were seen to begin',
  },
  computed: {
    name: { type: 'text_t', help: 'class and method', value: methodName },
  },
  columns: {
    time: {},
    cpu: {},
    pid: {},
    tid: {},
    name: {
      header: 'METHOD',
      width: 40,
      // As deep as a terminal is wide.
      text: (name, { depth, returns }) => `${'  '.repeat(Math.min(depth, 40))}${returns ? '<-' : '->'} ${name}`,
    },
  },
  attach: runtimes.attach,
  warnings: runtimes.warnings,
  aliases: languageAliases(['java', 'perl', 'php', 'python', 'ruby', 'tcl'], 'flow'),
  examples: {
    '-l ruby': 'calls in all that runs Ruby',
    '-l java 181': 'calls in process 181',
    '-C java/lang/Thread 181': 'those of classes whose name begins so',
    '-M handle -l php 181': 'those of methods and functions of PHP whose name begins so',
  },
  sample: {
    before: 'A shop in PHP adds up two prices:',
    args: '-l php 32049',
    output: `
TIME      CPU     PID     TID METHOD
20:53:15    0   32049   32049 -> Shop.total
20:53:15    0   32049   32049   -> Shop.price
20:53:15    0   32049   32049   <- Shop.price
20:53:15    0   32049   32049   -> Shop.price
20:53:15    0   32049   32049   <- Shop.price
20:53:15    0   32049   32049 <- Shop.total`,
    after: 'total() calls price() twice, and nothing else. Where a return is missing, the method left by an exception.',
  },
});
