import type { Packet } from '../model/packet.ts';

/*
 * https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html
 */
const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const BYTE_ORDER = 0x1a2b3c4d;
const WHOLE_SECTION = 0xffff_ffff_ffff_ffffn;

const COMMENT = 1;
const USER_APPLICATION = 4;
const INTERFACE_NAME = 2;
const TIME_RESOLUTION = 9;
const PACKET_FLAGS = 2;

const NANOSECONDS = 9;
const INBOUND = 1;
const OUTBOUND = 2;
/** In front of the bytes of a packet. */
const PACKET_HEAD = 28;
const linkTypes = { ethernet: 1, ip: 101 } as const;

/** Bytes of a text that is an option; a name of an interface or a command is far from that. */
const LONGEST = 1024;

/** Packets as a file in the format pcapng: blocks, to be written in the order in which they are made. */
export class Pcapng {
  readonly #interfaces = new Map<string, number>();

  /** What the file begins with. @param application what made it */
  header(application: string): Uint8Array {
    const version = Buffer.alloc(16);
    version.writeUInt32LE(BYTE_ORDER, 0);
    version.writeUInt16LE(1, 4);
    version.writeBigUInt64LE(WHOLE_SECTION, 8);
    return block(SECTION_HEADER, version, textOption(USER_APPLICATION, application));
  }

  /** A packet, with its interface in front of the first one there. */
  packet(packet: Packet): Uint8Array {
    const { time, link, length, bytes, outbound, comment } = packet;
    const identity = `${packet.interface}\0${link}\0${packet.interfaceName}`;
    let id = this.#interfaces.get(identity);
    const parts: Uint8Array[] = [];
    if (id === undefined) {
      id = this.#interfaces.size;
      this.#interfaces.set(identity, id);
      parts.push(description(packet));
    }
    const text = comment === undefined ? undefined : textOption(COMMENT, comment);
    // There are many of these: each is made in one piece.
    const options = PACKET_HEAD + padded(bytes.length);
    const all = Buffer.alloc(options + 8 + (text?.length ?? 0) + 8);
    all.writeUInt32LE(ENHANCED_PACKET, 0);
    all.writeUInt32LE(all.length, 4);
    all.writeUInt32LE(id, 8);
    all.writeUInt32LE(Number(time >> 32n), 12);
    all.writeUInt32LE(Number(time & 0xffff_ffffn), 16);
    all.writeUInt32LE(bytes.length, 20);
    all.writeUInt32LE(length, 24);
    all.set(bytes, PACKET_HEAD);
    all.writeUInt16LE(PACKET_FLAGS, options);
    all.writeUInt16LE(4, options + 2);
    all.writeUInt32LE(outbound ? OUTBOUND : INBOUND, options + 4);
    if (text !== undefined) {
      all.set(text, options + 8);
    }
    all.writeUInt32LE(all.length, all.length - 4);
    parts.push(all);
    return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
  }
}

/** An interface: packets of any length, times in nanoseconds. */
function description({ link, interfaceName }: Packet): Uint8Array {
  const head = Buffer.alloc(8);
  head.writeUInt16LE(linkTypes[link], 0);
  const resolution = option(TIME_RESOLUTION, Uint8Array.of(NANOSECONDS));
  return block(INTERFACE_DESCRIPTION, head, textOption(INTERFACE_NAME, interfaceName), resolution);
}

/** The length stands before and behind what it is the length of. */
function block(type: number, body: Uint8Array, ...options: readonly Uint8Array[]): Uint8Array {
  const all = Buffer.concat([Buffer.alloc(8), body, ...options, Buffer.alloc(4), Buffer.alloc(4)]);
  all.writeUInt32LE(type, 0);
  all.writeUInt32LE(all.length, 4);
  all.writeUInt32LE(all.length, all.length - 4);
  return all;
}

function option(code: number, value: Uint8Array): Uint8Array {
  const all = Buffer.alloc(4 + padded(value.length));
  all.writeUInt16LE(code, 0);
  all.writeUInt16LE(value.length, 2);
  all.set(value, 4);
  return all;
}

function textOption(code: number, text: string): Uint8Array {
  const bytes = Buffer.from(text);
  let end = Math.min(bytes.length, LONGEST);
  // Not within a character.
  while (end < bytes.length && ((bytes[end] as number) & 0xc0) === 0x80) {
    end--;
  }
  return option(code, bytes.subarray(0, end));
}

function padded(length: number): number {
  return (length + 3) & ~3;
}
