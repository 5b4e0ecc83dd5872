import { libc } from '../native/libc.ts';

const POLLERR = 8;

/** Whether somebody can still read what is written to a descriptor; false for a pipe whose reading end is closed. */
export function hasReader(fd: number): boolean {
  const descriptor = new DataView(new ArrayBuffer(8));
  descriptor.setInt32(0, fd, true);
  libc.poll(new Uint8Array(descriptor.buffer), 1, 0);
  return (descriptor.getInt16(6, true) & POLLERR) === 0;
}
