import { escapeBytes } from './escape.ts';
import { formatIp, formatIp4 } from './ip.ts';

/** What an answer says about the name that was asked for. */
export interface DnsAnswer {
  /** Without a dot at the end; bytes that are no letters are escaped. */
  readonly name: string;
  /** As text, of both families. */
  readonly addresses: readonly string[];
}

const HEADER = 12;
const LABEL_MAX = 63;
const NAME_MAX = 255;
const IS_POINTER = 0xc0;
const A = 1;
const AAAA = 28;
const INTERNET = 1;

/**
 * Reads an answer of a name server, or the beginning of one: the addresses of all its records count for the name in its
 * question, whatever aliases lead there. @returns undefined for what is no such answer, or has no addresses
 */
export function parseDnsAnswer(bytes: Uint8Array): DnsAnswer | undefined {
  if (bytes.length < HEADER) {
    return undefined;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isAnswer = (view.getUint16(2) & 0x8000) !== 0 && (view.getUint16(2) & 0xf) === 0;
  const question = isAnswer && view.getUint16(4) === 1 ? readName(bytes, HEADER) : undefined;
  if (question === undefined) {
    return undefined;
  }
  const addresses: string[] = [];
  let at = question.end + 4;
  for (let left = view.getUint16(6); left > 0; left--) {
    const end = skipName(bytes, at);
    if (end === undefined || end + 10 > bytes.length) {
      break;
    }
    const [type, kind, length] = [view.getUint16(end), view.getUint16(end + 2), view.getUint16(end + 8)];
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
  return addresses.length === 0 ? undefined : { name: question.name, addresses };
}

/** A name that is written out, as that of a question always is. */
function readName(bytes: Uint8Array, start: number): { readonly name: string; readonly end: number } | undefined {
  const labels: string[] = [];
  let at = start;
  for (;;) {
    const length = bytes[at] ?? LABEL_MAX + 1;
    if (length > LABEL_MAX || at + 1 + length > bytes.length || at + 1 + length - start > NAME_MAX) {
      return undefined;
    }
    if (length === 0) {
      return { name: labels.join('.'), end: at + 1 };
    }
    labels.push(escapeBytes(bytes, at + 1, at + 1 + length));
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
