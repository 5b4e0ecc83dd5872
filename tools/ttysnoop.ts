import bpf from '../bpf/ttysnoop.bpf.ts';
import { accepted, filters, integer, snoop, terminalName, terminalNumber, text } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Show what programs write to terminals.',
  area: 'processes',
  activity: 'Tracing writes to terminals',
  description: `
Prints a line for each write(2) and writev(2) to a terminal, with what was written; what controls a terminal is escaped, so that nothing of it acts on the one that shows it. Usually all terminals are watched: pseudo terminals (of ssh, of terminal windows), consoles and serial lines.

Not seen is what the kernel writes by itself: the echo of what is typed, messages to the console; nor what goes through io_uring or splice(2), and by a file like /dev/tty, which stands for a terminal. The field "tty" is the number of its device. Of a writev(2) the first 16 pieces are shown.`,
  overhead:
    'About 0.4 µs for each write(2) of the machine (run time of the programs on a busy 2-core virtual machine), and more for one to a terminal.',
  options: {
    ...filters,
    noClear: accepted('-C, --noclear'),
    pieces: accepted('-c, --datacount <COUNT>'),
    device: text('[device]', 'only this terminal: a path, or the number of a pseudo terminal', {
      set: 'filter_tty',
      encode: (named) => terminalNumber(named),
      completes: 'file',
    }),
    size: integer('-s, --datasize <BYTES>', 'print at most this many bytes of a write; usually 4096', {
      group: 'output',
      set: 'data_size',
      min: 1,
      max: 8192,
    }),
  },
  computed: {
    terminal: { type: 'text_t', help: 'name of the terminal, below /dev', value: ({ tty }) => terminalName(tty) },
  },
  columns: {
    time: { flag: '-T, --timestamp' },
    terminal: { header: 'TTY', width: 7 },
    pid: {},
    comm: {},
    data: { text: (data, { truncated }) => (truncated ? `${data}...` : data) },
  },
  examples: {
    '': 'watch all terminals',
    '3 -T': 'watch /dev/pts/3, with the time',
    '/dev/ttyS0 --json': 'watch a serial line, as JSON',
  },
  sample: {
    before: 'In a terminal, a shell prints two lines, one of them red, and cat complains:',
    args: '',
    output: `
TTY         PID COMM             DATA
pts/0     12967 sh               total 3\\n
pts/0     12967 sh               \\x1b[31mred\\x1b[0m\\n
pts/0     12968 cat              cat: 
pts/0     12968 cat              /nonexist
pts/0     12968 cat              : No such file or directory
pts/0     12968 cat              \\n`,
    after:
      'The codes for red are shown and have no effect. The message of cat comes in four pieces, because standard error is not buffered: each piece is a write(2) of its own.',
  },
});
