import bpf from '../bpf/undump.bpf.ts';
import { filters, integer, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Show what processes receive on UNIX sockets.',
  area: 'processes',
  activity: 'Tracing what is received on UNIX sockets',
  description: `
Prints a line for each piece of data that is copied to a process that receives on a UNIX socket, of any type (skb:skb_copy_datagram_iovec): its size and its first bytes, escaped where they are no text. What is looked at without being taken (MSG_PEEK) is shown each time. A message or a piece of a stream comes as the sender sent it, or as far as the receiver has room.

Of messages that are longer than about 16 kilobytes, and of pieces of a stream that are longer than 3, the kernel keeps the end in separate pages, which are not shown: whole pages of 4 kilobytes, so that of a piece of just so many nothing is shown but its size. Descriptors that are passed are not data: see sofdsnoop(8).

Everything that processes tell each other this way is shown, secrets as well.`,
  overhead: 'About 2 µs for each piece of data (run time of the programs on a busy 2-core virtual machine).',
  options: {
    ...filters,
    size: integer('-s, --datasize <BYTES>', 'print at most this many bytes; usually 256', {
      group: 'output',
      set: 'data_size',
      min: 1,
      max: 16384,
    }),
  },
  columns: {
    time: {},
    comm: {},
    pid: {},
    size: { header: 'SIZE', text: String },
    data: { text: (data, { truncated }) => (truncated ? `${data}...` : data) },
  },
  examples: { '': 'show all', '-p 181 -s 4096': 'what process 181 receives, up to 4096 bytes at once' },
  sample: {
    before: 'A program talks with itself, over the two ends of a UNIX socket:',
    args: '',
    output: `
TIME     COMM                 PID     SIZE DATA
20:50:48 perl               22057        9 GET key\\r\\n
20:50:48 perl               22057       12 VALUE \\x01\\x02 17\\n`,
    after: 'Each line is what one call received. Text is shown as it is, and bytes that are none by their codes.',
  },
});
