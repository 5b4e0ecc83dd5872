import { readFileSync } from 'node:fs';
import { objectTypes } from '../bpf/object-types.ts';
import { KscopeError, reasonOf } from '../model/errors.ts';
import { escapeText } from '../model/escape.ts';
import type { Answer } from './own-commands.ts';

/** `kscope types FILE`: a TypeScript module for `BpfObject.open<Types>`. @throws KscopeError */
export function types(values: Readonly<Record<string, unknown>>): Answer {
  const file = String(values.file);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new KscopeError('failed', `cannot read ${file}: ${reasonOf(cause)}`, { cause });
  }
  const { records, members } = objectTypes(bytes, file);
  const lines = [
    `// The types of ${escapeText(file)}, written by \`kscope types\`.`,
    ...records,
    'export default interface Types {',
    members,
    '}',
  ];
  return { text: `${lines.join('\n')}\n`, status: 0 };
}
