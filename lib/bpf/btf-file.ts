import { readFileSync } from 'node:fs';
import { KscopeError } from '../model/errors.ts';
import { errorText } from '../native/libc.ts';
import { Btf } from './btf.ts';
import { parseElf } from './elf.ts';

const ELF_MAGIC = 0x7f454c46;

/**
 * Looks whether a file is whole BTF, raw or in an ELF file, before libbpf reads it and trusts every word of it.
 * @throws KscopeError usage
 */
export function checkBtfFile(path: string): void {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    const { errno = 0 } = cause as NodeJS.ErrnoException;
    throw new KscopeError('usage', `cannot read the BTF file '${path}': ${errorText(errno)}`, { cause });
  }
  try {
    Btf.parse(contents(bytes)).check();
  } catch (cause) {
    throw new KscopeError('usage', `'${path}' is not the BTF of a kernel`, { cause });
  }
}

function contents(bytes: Buffer): Uint8Array {
  if (bytes.length < 4 || bytes.readUInt32BE(0) !== ELF_MAGIC) {
    return bytes;
  }
  const section = parseElf(bytes, 'the BTF file').section('.BTF');
  if (section === undefined) {
    throw new KscopeError('failed', 'it has no section .BTF');
  }
  return section.bytes;
}
