import assert from 'node:assert/strict';
import { pointerTo } from './native-arguments.ts';
import { mustSyscall } from './syscall.ts';

const PAGE = 4096;
const PREAD = 0n;
/** A request and its end, as linux/aio_abi.h has them: both the same on x64 and arm64. */
const [REQUEST, EVENT] = [8, 4];

/** A buffer that begins with a page, as reads past the page cache want it. */
export function alignedBuffer(bytes: number): Buffer {
  const room = Buffer.alloc(bytes + PAGE);
  return room.subarray(PAGE - Number(pointerTo(room) % BigInt(PAGE))).subarray(0, bytes);
}

/** Asks with one system call for as many bytes at each of these places, in this order, and waits for all of them. */
export function readAtOnce(fd: number, offsets: readonly number[], bytes: number): void {
  const room = alignedBuffer(bytes * offsets.length);
  const requests = offsets.map((offset, index) =>
    BigUint64Array.of(
      0n,
      0n,
      (BigInt(fd) << 32n) | PREAD,
      pointerTo(room) + BigInt(index * bytes),
      BigInt(bytes),
      BigInt(offset),
      ...Array<bigint>(REQUEST - 6).fill(0n),
    ),
  );
  const pointers = BigUint64Array.from(requests, (request) => pointerTo(new Uint8Array(request.buffer)));
  const context = new BigUint64Array(1);
  mustSyscall('io_setup', offsets.length, new Uint8Array(context.buffer));
  const [id = 0n] = context;
  const ends = new BigInt64Array(EVENT * offsets.length);
  assert.equal(mustSyscall('io_submit', id, offsets.length, new Uint8Array(pointers.buffer)), offsets.length);
  assert.equal(
    mustSyscall('io_getevents', id, offsets.length, offsets.length, new Uint8Array(ends.buffer), 0),
    offsets.length,
  );
  mustSyscall('io_destroy', id);
  // Results; what is read is in `room`, which has to live that long.
  assert.deepEqual(
    offsets.map((_, index) => Number(ends[index * EVENT + 2])),
    offsets.map(() => bytes),
  );
  assert.equal(room.length, bytes * offsets.length);
}
