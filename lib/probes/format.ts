import { type Span, specificationError } from './specification-error.ts';
import { bytesOf } from './tokens.ts';

/** How one value is written. */
export interface Conversion extends Span {
  readonly letter: 'd' | 'u' | 'x' | 'X' | 'o' | 'c' | 's' | 'p' | 'K' | 'U';
  /** Bits that the letters before it name: %d has 32, %hhd 8, %lld 64. */
  readonly bits: 8 | 16 | 32 | 64;
  readonly left: boolean;
  readonly zeros: boolean;
  /** 0x before %x, 0 before %o. */
  readonly prefix: boolean;
  readonly width: number;
  /** Of a text, the most characters. */
  readonly precision?: number;
}

/** A format: texts, and between them conversions. */
export interface Format {
  readonly texts: readonly string[];
  readonly conversions: readonly Conversion[];
}

const conversion =
  /%(?<flags>[-0#+ ]*)(?<width>\d{0,3})(?:\.(?<precision>\d{1,4}))?(?<size>hh|h|ll|l|z|j|t)?(?<letter>[a-zA-Z%])?/uy;
const bitsOf: Readonly<Record<string, 8 | 16 | 32 | 64>> = { hh: 8, h: 16, l: 64, ll: 64, z: 64, j: 64, t: 64 };
const known = /^[duxXocspKU]$/;

/**
 * Reads a format string. @param at where in the text is what is between the quotes
 * @throws KscopeError usage
 */
export function parseFormat(text: string, at: Span): Format {
  const texts: string[] = [];
  const conversions: Conversion[] = [];
  let plain = '';
  const quoted = text.slice(at.start, at.end);
  for (let i = 0; i < quoted.length; ) {
    const percent = quoted.indexOf('%', i);
    const end = percent < 0 ? quoted.length : percent;
    plain += Buffer.from(bytesOf(text, at, quoted.slice(i, end))).toString('utf8');
    i = end;
    if (percent < 0) {
      break;
    }
    conversion.lastIndex = percent;
    const groups = conversion.exec(quoted)?.groups ?? {};
    const { flags = '', width = '', precision, size = '' } = groups;
    const letter = groups.letter === 'i' ? 'd' : (groups.letter ?? '');
    const span = { start: at.start + percent, end: at.start + Math.max(conversion.lastIndex, percent + 1) };
    i = span.end - at.start;
    if (letter === '%') {
      plain += '%';
      continue;
    }
    if (!known.test(letter)) {
      const why = letter === '' ? 'a conversion does not end' : `there is no conversion %${letter}`;
      throw specificationError(text, span, why, 'conversions: %d %u %x %o %c %s %p, %K %U for symbols, %% for %');
    }
    texts.push(plain);
    plain = '';
    conversions.push({
      ...span,
      letter: letter as Conversion['letter'],
      bits: bitsOf[size] ?? 32,
      left: flags.includes('-'),
      zeros: flags.includes('0') && !flags.includes('-'),
      prefix: flags.includes('#'),
      width: Number(width),
      ...(precision !== undefined && { precision: Number(precision) }),
    });
  }
  texts.push(plain);
  return { texts, conversions };
}

/**
 * Writes a message. @param rendered of each value as its conversion wants it, without padding; safe to print
 * @param literal makes the texts between them safe to print
 */
export function formatMessage(format: Format, rendered: readonly string[], literal: (text: string) => string): string {
  let message = literal(format.texts[0] ?? '');
  for (const [i, conversion] of format.conversions.entries()) {
    message += padded(rendered[i] ?? '', conversion) + literal(format.texts[i + 1] ?? '');
  }
  return message;
}

/** A whole number as a conversion writes it. */
export function formatNumber(value: bigint, { letter, prefix }: Pick<Conversion, 'letter' | 'prefix'>): string {
  switch (letter) {
    case 'x':
      return `${prefix ? '0x' : ''}${hexadecimal(value)}`;
    case 'X':
      return `${prefix ? '0X' : ''}${hexadecimal(value).toUpperCase()}`;
    case 'o':
      return `${prefix ? '0' : ''}${BigInt.asUintN(64, value).toString(8)}`;
    case 'p':
      return `0x${hexadecimal(value)}`;
    default:
      return value.toString();
  }
}

function hexadecimal(value: bigint): string {
  return BigInt.asUintN(64, value).toString(16);
}

function padded(text: string, { left, zeros, width, precision, letter }: Conversion): string {
  const cut = precision !== undefined && letter === 's' ? text.slice(0, precision) : text;
  if (zeros && !/[sc]/.test(letter)) {
    const sign = cut.startsWith('-') ? '-' : '';
    return sign + cut.slice(sign.length).padStart(width - sign.length, '0');
  }
  return left ? cut.padEnd(width) : cut.padStart(width);
}
