/**
 * A file system of user space: keeps files in memory, and serves them where the first argument says until it is
 * unmounted. With a second one it is that of a disk, which it does not touch.
 */

import { constants, openSync, read, writeSync } from 'node:fs';
import { mustSyscall, syscall } from './syscall.ts';

/** Of the protocol of /dev/fuse; numbers and layouts are those of linux/fuse.h. */
const LOOKUP = 1;
const FORGET = 2;
const GETATTR = 3;
const SETATTR = 4;
const MKDIR = 9;
const UNLINK = 10;
const RMDIR = 11;
const OPEN = 14;
const READ = 15;
const WRITE = 16;
const STATFS = 17;
const RELEASE = 18;
const FSYNC = 20;
const INIT = 26;
const OPENDIR = 27;
const READDIR = 28;
const RELEASEDIR = 29;
const CREATE = 35;
const INTERRUPT = 36;
const BATCH_FORGET = 42;
const unanswered = [FORGET, INTERRUPT, BATCH_FORGET];

const HEADER = 40;
const [VERSION, MINOR, LARGEST] = [7, 31, 1 << 17];
const FATTR_SIZE = 8;
const [ENOENT, ENOSYS] = [2, 38];
const ROOT = 1n;
/** Nobody else changes the files, so that the kernel may keep what it was told, in seconds. */
const VALID = 3600n;
const MNT_DETACH = 2;
const { S_IFDIR, S_IFREG } = constants;

interface File {
  readonly number: bigint;
  readonly mode: number;
  content: Buffer;
  readonly entries: Map<string, File>;
}

const files = new Map<bigint, File>();
let last = 0n;
add(S_IFDIR | 0o755);

function add(mode: number): File {
  last += 1n;
  const file = { number: last, mode, content: Buffer.alloc(0), entries: new Map() };
  files.set(last, file);
  return file;
}

/** Integers of so many bytes one behind the other, as the kernel lays its structures out. */
function pack(...fields: readonly (readonly [number, number | bigint])[]): Buffer {
  return Buffer.concat(
    fields.map(([bytes, value]) => {
      const buffer = Buffer.alloc(8);
      buffer.writeBigUInt64LE(BigInt(value));
      return bytes > 8 ? Buffer.alloc(bytes) : buffer.subarray(0, bytes);
    }),
  );
}

function attributes({ number, mode, content }: File): Buffer {
  const times = 3 * 8 + 3 * 4;
  return pack([8, number], [8, content.length], [8, 0], [times, 0], [4, mode], [4, 1], [12, 0], [4, 4096], [4, 0]);
}

function entry(file: File): Buffer {
  return Buffer.concat([pack([8, file.number], [8, 0], [8, VALID], [8, VALID], [8, 0]), attributes(file)]);
}

/** Gives a directory something new. @param at where the name is in the request */
function create(directory: File, mode: number, body: Buffer, at: number): File {
  const file = add(mode);
  directory.entries.set(nameAt(body, at), file);
  return file;
}

function nameAt(body: Buffer, at = 0): string {
  return body.toString('latin1', at, body.indexOf(0, at));
}

function listed({ entries }: File, after: number): Buffer {
  const all = [...entries].map(([name, { number, mode }], i) => {
    const head = pack([8, number], [8, i + 1], [4, name.length], [4, mode >> 12]);
    const padding = Buffer.alloc(-name.length & 7);
    return Buffer.concat([head, Buffer.from(name, 'latin1'), padding]);
  });
  return Buffer.concat(all.slice(after));
}

function write(file: File, at: number, data: Buffer): Buffer {
  const size = Math.max(file.content.length, at + data.length);
  file.content = Buffer.concat([file.content, Buffer.alloc(size - file.content.length)]);
  data.copy(file.content, at);
  return pack([4, data.length], [4, 0]);
}

function truncate(file: File, size: number): void {
  file.content = Buffer.concat([file.content.subarray(0, size), Buffer.alloc(Math.max(0, size - file.content.length))]);
}

/** @returns what follows the header, or an errno */
function answer(opcode: number, file: File, body: Buffer): Buffer | number {
  const attributesOf = (of: File) => Buffer.concat([pack([8, VALID], [8, 0]), attributes(of)]);
  const opened = pack([16, 0]);
  switch (opcode) {
    case INIT:
      return pack([4, VERSION], [4, MINOR], [4, LARGEST], [4, 0], [4, 0], [4, LARGEST], [40, 0]);
    case LOOKUP: {
      const found = file.entries.get(nameAt(body));
      return found === undefined ? ENOENT : entry(found);
    }
    case GETATTR:
      return attributesOf(file);
    case SETATTR:
      if (body.readUInt32LE(0) & FATTR_SIZE) {
        truncate(file, Number(body.readBigUInt64LE(16)));
      }
      return attributesOf(file);
    case MKDIR:
      return entry(create(file, S_IFDIR | body.readUInt32LE(0), body, 8));
    case CREATE:
      return Buffer.concat([entry(create(file, S_IFREG | (body.readUInt32LE(4) & 0o7777), body, 16)), opened]);
    case UNLINK:
    case RMDIR:
      return file.entries.delete(nameAt(body)) ? pack() : ENOENT;
    case OPEN:
    case OPENDIR:
      return opened;
    case READ: {
      const at = Number(body.readBigUInt64LE(8));
      return file.content.subarray(at, at + body.readUInt32LE(16));
    }
    case READDIR:
      return listed(file, Number(body.readBigUInt64LE(8)));
    case WRITE:
      return write(file, Number(body.readBigUInt64LE(8)), body.subarray(40));
    case STATFS:
      return pack([40, 0], [4, 4096], [4, 255], [32, 0]);
    case RELEASE:
    case RELEASEDIR:
    case FSYNC:
      return pack();
    default:
      return ENOSYS;
  }
}

const device = openSync('/dev/fuse', 'r+');
const request = Buffer.alloc(LARGEST + 4096);

function serve(): void {
  read(device, request, 0, request.length, null, (error, length) => {
    if (error !== null) {
      if (error.code === 'ENODEV') {
        // It has been unmounted.
        process.exit();
      }
      throw error;
    }
    const [opcode, unique] = [request.readUInt32LE(4), request.readBigUInt64LE(8)];
    const file = files.get(request.readBigUInt64LE(16)) ?? files.get(ROOT);
    if (!unanswered.includes(opcode)) {
      const result = answer(opcode, file as File, request.subarray(HEADER, length));
      const body = typeof result === 'number' ? pack() : result;
      const errno = typeof result === 'number' ? 2 ** 32 - result : 0;
      writeSync(device, Buffer.concat([pack([4, 16 + body.length], [4, errno], [8, unique]), body]));
    }
    serve();
  });
}

const [path = '', disk] = process.argv.slice(2);
const options = `fd=${device},rootmode=40000,user_id=0,group_id=0,default_permissions`;
mustSyscall('mount', disk ?? 'kscope-test', path, disk === undefined ? 'fuse' : 'fuseblk', 0, options);
process.on('disconnect', () => {
  syscall('umount2', path, MNT_DETACH);
  process.exit();
});
serve();
process.send?.('mounted');
