import { escapeBytes } from './escape.ts';
import { formatIp, formatIp4 } from './ip.ts';

/** What an answer says about the name that was asked for. */
export interface DnsAnswer {
  /** Without a dot at the end; bytes that are no letters are escaped. */
  readonly name: string;
  /** As text, of both families. */
  readonly addresses: readonly string[];
}

/** A message from or to a name server, as far as it is there. */
export interface DnsMessage {
  readonly isAnswer: boolean;
  /** 'QUERY', or what else is asked for; the number where it has no name. */
  readonly opcode: string;
  /** 'NOERROR', 'NXDOMAIN' ...; the number where it has no name. */
  readonly rcode: string;
  readonly questions: number;
  /** Of the first question: without a dot at the end, '.' for the root. */
  readonly name: string | undefined;
  /** Of the first question: 'A', 'AAAA' ..., 'TYPE65280' where it has no name. */
  readonly type: string | undefined;
  /** Of all answers, as text, of both families. */
  readonly addresses: readonly string[];
}

const HEADER = 12;
const LABEL_MAX = 63;
const NAME_MAX = 255;
const IS_POINTER = 0xc0;
const A = 1;
const AAAA = 28;
const INTERNET = 1;
/** Where names are asked for in a whole network, this bit of the class says something else. */
const CLASS = 0x7fff;

const opcodes = ['QUERY', 'IQUERY', 'STATUS', '3', 'NOTIFY', 'UPDATE', 'DSO'];
const rcodes = [
  ...['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED', 'YXDOMAIN', 'YXRRSET', 'NXRRSET'],
  ...['NOTAUTH', 'NOTZONE', 'DSOTYPENI'],
];
const types: Readonly<Record<number, string>> = {
  ...{ [A]: 'A', 2: 'NS', 5: 'CNAME', 6: 'SOA', 12: 'PTR', 13: 'HINFO', 14: 'MINFO', 15: 'MX', 16: 'TXT' },
  ...{ [AAAA]: 'AAAA', 29: 'LOC', 33: 'SRV', 35: 'NAPTR', 37: 'CERT', 39: 'DNAME', 41: 'OPT', 43: 'DS', 44: 'SSHFP' },
  ...{ 46: 'RRSIG', 47: 'NSEC', 48: 'DNSKEY', 50: 'NSEC3', 52: 'TLSA', 59: 'CDS', 61: 'OPENPGPKEY', 64: 'SVCB' },
  ...{ 65: 'HTTPS', 99: 'SPF', 249: 'TKEY', 250: 'TSIG', 251: 'IXFR', 252: 'AXFR', 255: 'ANY', 256: 'URI', 257: 'CAA' },
};

/** Reads a message, or the beginning of one. @returns undefined for what is shorter than its header */
export function parseDnsMessage(bytes: Uint8Array): DnsMessage | undefined {
  if (bytes.length < HEADER) {
    return undefined;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const flags = view.getUint16(2);
  const questions = view.getUint16(4);
  const [opcode, rcode] = [(flags >> 11) & 0xf, flags & 0xf];
  const question = questions === 0 ? undefined : readName(bytes, HEADER);
  const number = question && question.end + 2 <= bytes.length ? view.getUint16(question.end) : undefined;
  return {
    isAnswer: (flags & 0x8000) !== 0,
    opcode: opcodes[opcode] ?? String(opcode),
    rcode: rcodes[rcode] ?? String(rcode),
    questions,
    name: question?.name,
    type: number === undefined ? undefined : (types[number] ?? `TYPE${number}`),
    addresses: readAddresses(bytes, view, questions),
  };
}

/**
 * Reads an answer of a name server, or the beginning of one: the addresses of all its records count for the name in its
 * question, whatever aliases lead there. @returns undefined for what is no such answer, or has no addresses
 */
export function parseDnsAnswer(bytes: Uint8Array): DnsAnswer | undefined {
  const { isAnswer, rcode, questions, name, addresses = [] } = parseDnsMessage(bytes) ?? {};
  return isAnswer && rcode === 'NOERROR' && questions === 1 && name !== undefined && addresses.length > 0
    ? { name, addresses }
    : undefined;
}

/** The addresses of all answers that are there. */
function readAddresses(bytes: Uint8Array, view: DataView, questions: number): string[] {
  const addresses: string[] = [];
  let at = HEADER;
  for (let left = questions; left > 0; left--) {
    const end = skipName(bytes, at);
    if (end === undefined) {
      return addresses;
    }
    at = end + 4;
  }
  for (let left = view.getUint16(6); left > 0; left--) {
    const end = skipName(bytes, at);
    if (end === undefined || end + 10 > bytes.length) {
      break;
    }
    const [type, kind, length] = [view.getUint16(end), view.getUint16(end + 2) & CLASS, view.getUint16(end + 8)];
    at = end + 10 + length;
    if (at > bytes.length) {
      break;
    }
    if (kind === INTERNET && type === A && length === 4) {
      addresses.push(formatIp4(bytes, end + 10));
    } else if (kind === INTERNET && type === AAAA && length === 16) {
      addresses.push(formatIp(bytes, end + 10));
    }
  }
  return addresses;
}

/** A name and where it ends, which may go on in front of where it begins: each time farther in front, so it comes to an end. */
function readName(bytes: Uint8Array, start: number): { readonly name: string; readonly end: number } | undefined {
  const labels: string[] = [];
  let end: number | undefined;
  let size = 0;
  let at = start;
  let before = start;
  for (;;) {
    const length = bytes[at];
    if (length === undefined) {
      return undefined;
    }
    if ((length & IS_POINTER) === IS_POINTER) {
      const to = ((length & ~IS_POINTER) << 8) | (bytes[at + 1] ?? 0);
      if (at + 2 > bytes.length || to >= before || to < HEADER) {
        return undefined;
      }
      end ??= at + 2;
      before = to;
      at = to;
      continue;
    }
    size += 1 + length;
    if (length > LABEL_MAX || at + 1 + length > bytes.length || size > NAME_MAX) {
      return undefined;
    }
    if (length === 0) {
      return { name: labels.length === 0 ? '.' : labels.join('.'), end: end ?? at + 1 };
    }
    // A dot that is part of a label separates nothing.
    labels.push(escapeBytes(bytes, at + 1, at + 1 + length).replaceAll('.', '\\x2e'));
    at += 1 + length;
  }
}

/** Where a name ends, which may go on elsewhere. */
function skipName(bytes: Uint8Array, start: number): number | undefined {
  for (let at = start; at < bytes.length; ) {
    const length = bytes[at] as number;
    if (length === 0) {
      return at + 1;
    }
    if ((length & IS_POINTER) === IS_POINTER) {
      return at + 2;
    }
    at += 1 + length;
  }
  return undefined;
}
