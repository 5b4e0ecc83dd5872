import bpf from '../bpf/tlssnoop.bpf.ts';
import { familyFilters, filters, portFilters, snoop, text } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace which servers programs ask for, by the names in TLS handshakes.',
  area: 'network',
  activity: 'Tracing TLS handshakes that begin',
  description: `
Prints a line for each TLS handshake that a program of this machine begins over TCP: the name of the server that it asks for (SNI), with the address and port that it talks to, the highest version of TLS that it offers, and the protocols that it would speak (ALPN). That is the first message of a client, ClientHello, which is not encrypted; a program that has to begin again with other parameters (HelloRetryRequest) sends a second one. Any library is seen, also those that programs have inside, and any size: what is read is the program's memory, not packets. No name is asked for ("-") by clients that know only an address.

The message is recognized at the beginning of what write(2), writev(2), sendto(2) and sendmsg(2) have sent, also in the middle of a connection (STARTTLS), and only where all its lengths fit. Not seen are: what is behind the first piece of writev(2) and sendmsg(2), or the first record of TLS, or was left to a later call (then the field "truncated" says that there may have been a name); io_uring, sendmmsg(2), sendfile(2) and 32-bit programs; and QUIC and DTLS, which are not TCP. With an encrypted ClientHello (field "ech") the name that is shown is that of the outer one: of a provider, usually. Many clients pretend to have such a one.

The memory is read when the call returns: what another thread writes there meanwhile may be shown.`,
  overhead:
    'About 0.2 µs for each of these four calls of the machine, also those that write to files (a write(2) of 64 bytes to /dev/null takes 0.47 instead of 0.24 µs on a 2-core virtual machine), and some more for a handshake. Any other system call takes 0.04 µs more, as read(2) does: while one is traced, the kernel takes a longer way for all.',
  options: {
    ...filters,
    ...familyFilters,
    ...portFilters,
    name: text('-n, --name <TEXT>', 'only servers whose name contains TEXT', { group: 'filter' }),
  },
  keep: (event, { name }) => name === undefined || event.name?.includes(name) === true,
  meanings: {
    ech: 'present when there is an encrypted ClientHello',
    truncated: 'present when there may have been a name that was not read',
    alpn: 'protocols that the program would speak',
    name: 'server that is asked for',
  },
  columns: {
    time: { flag: '-T, --timestamp' },
    pid: {},
    tid: {},
    comm: {},
    daddr: { header: 'RADDR', width: 15 },
    dport: { header: 'RPORT' },
    version: { header: 'TLS', width: 3, text: (version) => String(version).replace(/^\w+?_(\d)_(\d)$/, '$1.$2') },
    alpn: { header: 'ALPN', width: 11, align: 'left' },
    name: { header: 'NAME', text: (name, { truncated }) => (truncated ? `${name}...` : name) },
  },
  examples: {
    '': 'trace all',
    '-T -n example.org': 'who asks for servers with example.org in the name, with the time',
    '-D 443 -p 181': 'what process 181 asks for at port 443',
  },
  sample: {
    before:
      'Three programs connect to a server at port 8443, one of them over IPv6, and the last one by its address alone:',
    args: '-D 8443',
    output: `
    PID     TID COMM             RADDR           RPORT TLS ALPN        NAME
   3793    3793 curl             127.0.0.1        8443 1.3 h2,http/1.1 www.example.org
   3794    3794 python3          ::1              8443 1.3 -           mail.example.org
   3836    3836 curl             127.0.0.1        8443 1.3 h2,http/1.1 -`,
    after:
      'All three offer TLS 1.3; what the server chose is in its answer, which is not looked at. Addresses stand for many names today: the name tells what the program wanted.',
  },
});
