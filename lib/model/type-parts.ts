import { KscopeError } from './errors.ts';
import { escapeTerminated, escapeText, unescapeText } from './escape.ts';
import type { JsonSchema } from './json.ts';
import type { Decoding, SemanticType } from './types.ts';

export const asIs = (value: unknown): string => String(value);
export const natural: JsonSchema = { type: 'integer', minimum: 0 };

export function noValue(type: string, value: unknown): KscopeError {
  return new KscopeError('failed', `'${escapeText(String(value))}' is not a valid ${type}`);
}

export function count(
  name: string,
  help: string,
  width: number,
  text: (value: number) => string = asIs,
): SemanticType<number> {
  return {
    name,
    help,
    typescript: 'number',
    schema: natural,
    width,
    align: 'right',
    optional: false,
    decode: { from: 'number' },
    text,
  };
}

/** A number that has a name where it has one. */
export function named(
  name: string,
  help: string,
  width: number,
  nameOf: (value: number) => string | undefined,
): SemanticType<number> {
  return { ...count(name, help, width, (value) => nameOf(value) ?? String(value)), align: 'left' };
}

export function additive(type: SemanticType<number>): SemanticType<number> {
  return { ...type, additive: true };
}

/** A number of which zero, or everything negative, means that there is none. */
export function absentable(type: SemanticType<number>, absent: 'zero' | 'negative'): SemanticType<number> {
  const decode: Decoding<number> =
    absent === 'zero'
      ? { from: 'number', to: (raw) => (raw === 0 ? undefined : raw), back: (value) => value ?? 0 }
      : { from: 'number', to: (raw) => (raw < 0 ? undefined : raw), back: (value) => value ?? -1 };
  return { ...type, optional: true, decode };
}

const ofText = { typescript: 'string', schema: { type: 'string' }, align: 'left', optional: false } as const;

export function text(name: string, help: string, width: number, variable: boolean): SemanticType<string> {
  return {
    name,
    help,
    ...ofText,
    width,
    decode: ofBytes(variable, escapeTerminated),
    text: asIs,
  };
}

export function isZero(bytes: Uint8Array, start: number, length: number): boolean {
  for (let i = start; i < start + length; i++) {
    if (bytes[i] !== 0) {
      return false;
    }
  }
  return true;
}

/** A string of which the empty one means that there is none. */
export function maybeText(name: string, help: string): SemanticType<string> {
  return {
    ...ofText,
    name,
    help,
    width: 16,
    optional: true,
    decode: ofBytes(false, (bytes, start, end) => escapeTerminated(bytes, start, end) || undefined),
    text: asIs,
  };
}

type ReadText = (bytes: Uint8Array, start: number, end: number) => string | undefined;

function ofBytes(variable: boolean, to: ReadText): SemanticType<string>['decode'] {
  return { from: 'bytes', variable, to, back: (value, size) => textBytes(value ?? '', size) };
}

/** Text that is read from bytes in another way, and cannot become bytes again: what that would take is no text. */
export function readOnly(type: SemanticType<string>, bytes: string, variable: boolean, to: ReadText) {
  const back = (value: string | undefined): never => {
    throw noValue(bytes, value);
  };
  return { ...type, decode: { from: 'bytes', variable, to, back } } satisfies SemanticType<string>;
}

function textBytes(value: string, size: number): Uint8Array {
  const bytes = unescapeText(value);
  if (bytes.length >= size && size > 0) {
    throw new KscopeError('failed', `'${escapeText(value)}' is longer than ${size - 1} bytes`);
  }
  return bytes;
}

export function address(
  name: string,
  help: string,
  width: number,
  size: number,
  format: (bytes: Uint8Array, at: number) => string,
  parse: (text: string) => Uint8Array | undefined,
): SemanticType<string> {
  return {
    name,
    help,
    ...ofText,
    width,
    decode: {
      from: 'bytes',
      sizes: [size],
      to: format,
      back: (value) => {
        const bytes = value === undefined ? undefined : parse(value);
        if (bytes === undefined) {
          throw noValue(help, value);
        }
        return bytes;
      },
    },
    text: asIs,
  };
}

export function wordsToBigint(value: string | undefined, type: string): bigint {
  if (value === undefined || !/^(?:\d+|0x[0-9a-f]+)$/i.test(value)) {
    throw noValue(type, value);
  }
  return BigInt(value);
}
