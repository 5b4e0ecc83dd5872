export interface CpioEntry {
  name: string;
  /** Absent: a directory. */
  data?: Uint8Array;
  executable?: boolean;
}

/**
 * A cpio archive ("newc") as the kernel reads it for an initramfs. Archives may be put one behind the other.
 * Parents must come before what is in them.
 */
export function cpio(entries: readonly CpioEntry[]): Buffer {
  const parts: Buffer[] = [];
  let inode = 0;
  const add = (name: string, mode: number, data: Uint8Array) => {
    const path = Buffer.from(`${name}\0`);
    inode += 1;
    const fields = [inode, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, path.length, 0];
    const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
    parts.push(padded(Buffer.concat([Buffer.from(header), path])), padded(Buffer.from(data)));
  };
  for (const { name, data, executable } of entries) {
    add(name, data === undefined ? 0o040755 : executable ? 0o100755 : 0o100644, data ?? new Uint8Array());
  }
  add('TRAILER!!!', 0, new Uint8Array());
  return Buffer.concat(parts);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
