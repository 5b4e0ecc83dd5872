import bpf from '../bpf/bashreadline.bpf.ts';
import { atFunctions, filters, snoop, text } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace the lines that are typed into bash.',
  area: 'programs',
  activity: 'Tracing the lines that bash reads',
  description: `
Prints a line for each line that an interactive bash has read with readline(3), before it is carried out: scripts, commands of bash -c and the words of read are not shown. Whatever is typed at a prompt of the shell is, passwords typed into the wrong window included.

All bash binaries are traced that run when the tracing begins, those of containers included, and /bin/bash. Where bash comes with readline as a library of its own, it is that library which has the function: it is found where bash uses it. With --shared, any file that has a function readline is traced, in all programs that use it.`,
  overhead:
    'A breakpoint for each line that is typed, and 0.9 µs for the program behind it (500 lines, on a busy virtual machine with 2 processors).',
  options: {
    ...filters,
    file: text('-s, --shared <FILE>', 'only this library or program', { group: 'filter', completes: 'file' }),
  },
  meanings: {
    command: 'line that was typed',
  },
  columns: {
    time: {},
    pid: {},
    uid: { flag: '-U, --print-uid' },
    command: {},
  },
  attach: {
    by: {
      line_read: atFunctions({
        file: /^(bash|libreadline\.so\.\d.*)$/,
        what: 'bash or libreadline',
        functions: ['readline'],
        return: true,
        also: ['/bin/bash'],
      }),
    },
  },
  examples: {
    '': 'trace the lines of all shells',
    '-p 181': 'trace the lines of one shell',
  },
  sample: {
    before: 'Somebody works in a shell:',
    args: '',
    output: `
TIME         PID COMMAND
20:53:47     667 cd /srv/shop
20:53:47     667 git pull
20:53:48     667 systemctl restart shop
20:53:48     667 exit`,
    after:
      'All four lines were typed into the same shell, 667. Whether they did what they should, execsnoop(8) and exitsnoop(8) show.',
  },
});
