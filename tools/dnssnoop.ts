import bpf, { type event as Event } from '../bpf/dnssnoop.bpf.ts';
import {
  DnsStreams,
  endpoint,
  escapeBytes,
  familyFilters,
  filters,
  flag,
  list,
  namespaceFilters,
  now,
  parseDnsMessage,
  parseInteger,
  seconds,
  snoop,
  Unanswered,
  unescapeText,
} from '../lib/tool.ts';

type Message = ReturnType<typeof parseDnsMessage>;

/** Several fields of an event come from one message. */
const messages = new WeakMap<object, { readonly message: Message }>();

function messageOf(event: { readonly data: string }): NonNullable<Message> | undefined {
  const known = messages.get(event) ?? { message: parseDnsMessage(unescapeText(event.data)) };
  messages.set(event, known);
  return known.message;
}

/** Seconds, as the resolver of the C library waits. */
const usualTimeout = 5;
const UNANSWERED = 4096;
/** `struct piece` of the program. */
const PIECE_HEAD = 8;

function exchangeOf({ transport, qr, saddr, sport, daddr, dport, id }: Event): string {
  const [from, to] = [`${saddr} ${sport}`, `${daddr} ${dport}`];
  return `${transport} ${qr === 'R' ? `${to} ${from}` : `${from} ${to}`} ${id}`;
}

/** The messages that are complete with a piece of a TCP connection. */
function* messagesIn(piece: Event, streams: DnsStreams): Generator<Event, void, void> {
  const data = unescapeText(piece.data);
  const { saddr, sport, daddr, dport } = piece;
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const found = streams.add({
    stream: `${saddr} ${sport} ${daddr} ${dport}`,
    sequence: view.getUint32(0, true),
    begins: view.getUint32(4, true) !== 0,
    bytes: data.subarray(PIECE_HEAD),
  });
  for (const { bytes, length } of found) {
    const head = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const flags = head.getUint16(2);
    const row: Event = {
      ...piece,
      qr: flags & 0x8000 ? 'R' : 'Q',
      id: head.getUint16(0),
      tc: (flags & 0x200) !== 0 || undefined,
      rd: (flags & 0x100) !== 0 || undefined,
      ra: (flags & 0x80) !== 0 || undefined,
      answers: head.getUint16(6),
      truncated: bytes.length < length || undefined,
      data: escapeBytes(bytes),
    };
    messages.set(row, { message: parseDnsMessage(bytes) });
    yield row;
  }
}

const isMulticast = (address: string) => /^(?:22[4-9]|23\d)\.|^ff..:/.test(address);

export default snoop(bpf, {
  summary: 'Trace DNS queries and responses, with their latency.',
  area: 'network',
  activity: 'Tracing DNS messages',
  description: `
Prints a line for each query that a process sends to a name server (QR is Q), and for each response that it gets (R): what was asked for, what the server says, the addresses among the answers, and the time from the query to the response. A query is sent again when no response comes in time: each time is a line, and the latency is that since the last. What has no response after some seconds (--timeout), or by the end, is shown once more then, with NO ANSWER and how long that is ago; a response may still come later. That is told of the last 4096 queries; nothing is said of those from before events were lost.

The process is the one that sent the query, and is shown for its response, too. Name servers on this host are seen as well: a query that comes from elsewhere is shown without a process, which does not have it yet, and the response with the process of the server; its latency is that of the server. A message that stays on this host is shown once: when it is sent. With a local server in between (systemd-resolved, dnsmasq), there are two queries: that of the process, and that of the server, if it does not know the answer. Filters ask for the process that is shown.

Messages are seen by programs for cgroups (v2), which also need CAP_NET_ADMIN, where sockets send and get them: whole, before their packets are taken apart, and not while they only come through this host. Processes outside the cgroups that are mounted are not seen. UDP and TCP are: over TLS (DoT), HTTPS (DoH) and QUIC nothing can be read. Over TCP, where messages begin and end anywhere in what is sent, a message is shown when all of it was there, and its time is that of its last part. The process is the one that connected, or for connections from elsewhere the first one that sends something. A connection that was there before is understood from the first part on that looks like the beginning of a message.

A response to a multicast query (mDNS) has no latency: it has no one query. A packet is seen behind the firewall of its own namespace when it is sent, and behind it again when it is received: where that translates addresses, a response does not match its query, and has no process and no latency (with another port, as in front of the server that Docker has in containers, the query is not seen at all). Where they are translated between two namespaces of this host, a message is shown at both ends.

Any packet from or to one of the ports is read as DNS. Bytes of a name that are not text are escaped, as is a dot that is part of a label. In JSON, data is the message itself, of which 4096 bytes are kept.`,
  overhead:
    'About 1.3 µs for each message over UDP and 0.8 µs over TCP, and 0.25 µs for any other packet that a socket sends or gets (run time of the programs on a busy 2-core virtual machine).',
  options: {
    ...filters,
    ...familyFilters,
    ...namespaceFilters,
    ports: list(
      '-P, --port <PORTS>',
      'only these ports of name servers; usually 53,5353',
      (port) => parseInteger(port, 1, 65535),
      {
        set: 'filter_ports',
        group: 'filter',
      },
    ),
    timeout: seconds('--timeout <SECONDS>', `seconds after which an answer is missing; usually ${usualTimeout}`),
    wide: flag('-w, --wide', 'show both ends, the protocol, and the id of the query', { group: 'column' }),
  },
  select(object, { timeout = usualTimeout }) {
    const streams = new DnsStreams();
    const unanswered = new Unanswered<{ readonly query: Event; readonly lost: number }>(UNANSWERED);
    const lost = object.globals.counter('events_lost');
    return {
      take(events) {
        const rows = events.flatMap((event) => (event.transport === 'TCP' ? [...messagesIn(event, streams)] : [event]));
        for (const row of rows) {
          if (row.qr === 'R') {
            const query = unanswered.answer(exchangeOf(row))?.query;
            if (row.transport === 'TCP' && query !== undefined) {
              row.latency = (row.time - query.time) * 1000;
            }
          } else if (!isMulticast(row.daddr)) {
            unanswered.ask(exchangeOf(row), { query: row, lost: lost() }, row.time);
          }
        }
        return rows;
      },
      missed(ended) {
        const time = now();
        return [...unanswered.giveUp(ended ? Number.POSITIVE_INFINITY : time - timeout * 1e6)].flatMap((asked) =>
          // Where events were lost, the answer may have been among them.
          asked.lost === lost()
            ? [{ ...asked.query, unanswered: true, latency: (time - asked.query.time) * 1000 }]
            : [],
        );
      },
    };
  },
  meanings: {
    tc: 'present when the message was cut (TC)',
    rd: 'present when the server is to ask others (RD)',
    ra: 'present when the server asks others (RA)',
    unanswered: 'present when no answer came',
    truncated: 'present when not all of the message was kept',
    id: 'id of the query',
    answers: 'number of answers, as the header says',
  },
  computed: {
    nameserver: {
      type: 'text_t',
      help: 'address of the name server, or whom else the query was for',
      value: ({ qr, saddr, daddr }) => (qr === 'R' ? saddr : daddr),
    },
    source: { type: 'text_t', help: 'where the message is from', value: ({ saddr, sport }) => endpoint(saddr, sport) },
    destination: { type: 'text_t', help: 'where it goes to', value: ({ daddr, dport }) => endpoint(daddr, dport) },
    opcode: {
      type: 'maybe_text_t',
      help: 'what kind of query it is: QUERY, NOTIFY, UPDATE ...',
      value: (event) => messageOf(event)?.opcode,
    },
    qtype: {
      type: 'maybe_text_t',
      help: 'type of the records that are asked for, where it can be read',
      value: (event) => messageOf(event)?.type,
    },
    name: {
      type: 'maybe_text_t',
      help: 'name that is asked for, where it can be read',
      value: (event) => messageOf(event)?.name,
    },
    rcode: {
      type: 'maybe_text_t',
      help: 'what the server says: NOERROR, NXDOMAIN ...; or NO ANSWER, where nobody did',
      value: (event) => (event.unanswered ? 'NO ANSWER' : event.qr === 'R' ? messageOf(event)?.rcode : undefined),
    },
    ip_addresses: {
      type: 'args_t',
      help: 'IP addresses among the answers',
      value: (event) => messageOf(event)?.addresses ?? [],
    },
  },
  columns: {
    time: { flag: '-T, --timestamp' },
    pid: {},
    comm: {},
    source: { width: 21, when: 'wide' },
    destination: { width: 21, when: 'wide' },
    nameserver: { width: 15, unless: 'wide' },
    transport: { header: 'PROT', width: 4, when: 'wide' },
    id: { width: 5, when: 'wide', text: String },
    qr: { header: 'QR', width: 2 },
    qtype: { width: 5 },
    name: { width: 20 },
    rcode: { width: 9 },
    latency: { header: 'LAT(ms)', text: (latency) => (latency / 1e6).toFixed(3) },
    ip_addresses: { header: 'ADDRESSES' },
  },
  examples: {
    '': 'trace all queries and responses',
    '-T -p 181': 'what process 181 asks for, with the time',
    '-P 53,5353,5355 -w': 'names that are asked for in the local network, too, with both ends',
    '--json -u 1000': 'all that there is to know of what user 1000 asks for',
  },
  sample: {
    before: 'A program asks for three names; the server does not know the second, and says nothing about the third:',
    args: '--fields comm,qr,qtype,name,rcode,latency,ip_addresses',
    output: `
COMM             QR QTYPE NAME                 RCODE      LAT(ms) ADDRESSES
python3          Q  A     www.example.org      -                - 
python3          R  A     www.example.org      NOERROR     16.940 192.0.2.7 192.0.2.8
python3          Q  AAAA  www.example.org      -                - 
python3          R  AAAA  www.example.org      NOERROR      5.258 2001:db8::7
python3          Q  A     wwv.example.org.lan  -                - 
python3          R  A     wwv.example.org.lan  NXDOMAIN     5.211 
python3          Q  A     lost.example         -                - 
python3          Q  A     lost.example         NO ANSWER 5297.202 `,
    after:
      'The responses came 5 ms after their queries, the first one after 17. The last query had none for more than 5 seconds, and the program has waited in vain, or still does. When only some are slow, NAMESERVER tells whom they have in common.',
  },
});
