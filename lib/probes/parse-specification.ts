import { type Format, parseFormat } from './format.ts';
import { ExpressionParser } from './parse-expression.ts';
import { type Span, specificationError } from './specification-error.ts';
import type { Expression, Parameter } from './syntax.ts';

/** Where something is traced, as it is written. */
export interface Place extends Span {
  /** A function's entry or return, a tracepoint, or a statically defined probe. */
  readonly kind: 'entry' | 'return' | 'tracepoint' | 'usdt';
  /** Library, program or path; category of a tracepoint; '' for the kernel. */
  readonly where: string;
  readonly name: string;
  /** Where in the text the name is. */
  readonly at: Span;
  /** Of a statically defined probe, where it is given. */
  readonly provider?: string;
  /** Bytes from the beginning of the function. */
  readonly offset: number;
  /** Whether it is a function of the kernel. */
  readonly kernel: boolean;
}

/** A place, what of it is wanted, and what is printed: 'c:open (arg2 == 0) "%s", arg1'. */
export interface Specification {
  readonly text: string;
  readonly place: Place;
  readonly signature?: readonly Parameter[];
  readonly predicate?: Expression;
  readonly format?: Format;
  readonly values: readonly Expression[];
}

const LONGEST = 4096;
const MOST_VALUES = 20;
const forms = [
  "a function: 'vfs_read', 'c:malloc', 'r:c:malloc' for its return, 'p:/usr/bin/node:uv_fs_open'",
  "a tracepoint: 't:sched:sched_switch'; a USDT probe: 'u:/usr/bin/node:gc__start'",
];

/** @throws KscopeError usage, with a line that points at what is wrong */
export function parseSpecification(text: string): Specification {
  const whole = limited(text);
  const start = /^\s*/.exec(text)?.[0].length ?? 0;
  const end = start + (/^[^\s(]*/.exec(text.slice(start))?.[0].length ?? 0);
  const place = parsePlace(text, { start, end });
  const parser = new ExpressionParser(whole, end);
  // Behind the name itself it is a signature, as in C.
  const signature = text[end] === '(' ? parseSignature(parser, place) : undefined;
  let predicate: Expression | undefined;
  if (parser.takeIf('(') !== undefined) {
    predicate = parser.expression();
    parser.expect(')', 'there should be a ) here');
  }
  const values: Expression[] = [];
  let format: Format | undefined;
  const quoted = parser.next;
  if (quoted.kind === 'text') {
    parser.take();
    format = parseFormat(text, { start: quoted.start + 1, end: quoted.end - 1 });
    while (parser.takeIf(',') !== undefined) {
      values.push(parser.expression());
    }
    checkCount(text, quoted, format, values);
  }
  if (parser.next.kind !== 'end') {
    const wanted = format === undefined ? 'a condition in ( ) or a format in " "' : 'a comma or the end';
    parser.fail(parser.next, `there should be ${wanted} here`);
  }
  return {
    text,
    place,
    values,
    ...(signature !== undefined && { signature }),
    ...(predicate !== undefined && { predicate }),
    ...(format !== undefined && { format }),
  };
}

/** The text, if it is one that can be read in finite time. @throws KscopeError usage */
export function limited(text: string): string {
  if (text.length > LONGEST) {
    const span = { start: LONGEST, end: text.length };
    throw specificationError(text, span, `it has ${text.length} characters, and may have ${LONGEST}`);
  }
  return text;
}

/** Names before the first colon say what kind of place it is. */
const kinds: Readonly<Record<string, Place['kind']>> = {
  '': 'entry',
  p: 'entry',
  r: 'return',
  t: 'tracepoint',
  u: 'usdt',
};

/** @throws KscopeError usage */
export function parsePlace(text: string, span: Span): Place {
  const parts = text.slice(span.start, span.end).split(':');
  const [first = ''] = parts;
  const typed = Object.hasOwn(kinds, first) && (parts.length > 2 || (parts.length > 1 && /^[rtu]$/.test(first)));
  const kind = typed ? (kinds[first] ?? 'entry') : 'entry';
  const last = parts.at(-1) ?? '';
  const where = parts.slice(typed ? 1 : 0, -1).join(':');
  const at = { start: span.end - last.length, end: span.end };
  const [, name = last, plus] = /^(.*?)(?:\+(.*))?$/s.exec(last) ?? [];
  const fail = (why: string, where_: Span = at): never => {
    throw specificationError(text, where_, why, ...forms);
  };
  if (name === '') {
    fail(parts.length > 1 ? 'there is no name behind the last colon' : 'it does not say where to trace');
  }
  if (/[*?[\]]/.test(name)) {
    fail('one place is traced, and a pattern may mean many');
  }
  const offset = plus === undefined ? 0 : Number(/^(0x[0-9a-f]+|\d+)$/i.test(plus) ? plus : Number.NaN);
  if (!Number.isSafeInteger(offset) || offset >= 2 ** 31 || (plus !== undefined && kind !== 'entry')) {
    fail(kind === 'entry' ? `'+${plus}' is no number of bytes` : 'only entries of functions have an offset');
  }
  const common = { ...span, kind, at: { start: at.start, end: at.start + name.length }, name, offset };
  if (kind === 'tracepoint') {
    return where === '' || where.includes(':')
      ? fail('a tracepoint has a category and a name', span)
      : { ...common, where, kernel: true };
  }
  if (kind === 'usdt') {
    const [, file = where, provider] = /^(.*):([A-Za-z_]\w*)$/s.exec(where) ?? [];
    if (file === '') {
      fail('a USDT probe is one of a library or program', span);
    }
    return { ...common, where: file, kernel: false, ...(provider !== undefined && { provider }) };
  }
  // 'r:vfs_read' and 'p::vfs_read' are of the kernel, ':main' of the program that --pid names.
  return { ...common, where, kernel: where === '' && (typed || parts.length === 1) };
}

/** What is between the parentheses behind a name. @throws KscopeError usage */
export function parseSignature(parser: ExpressionParser, place: Place): readonly Parameter[] {
  const open = parser.take();
  if (place.kind === 'tracepoint' || place.kind === 'usdt') {
    const what = place.kind === 'tracepoint' ? 'a tracepoint' : 'a USDT probe';
    parser.fail(open, `${what} has no signature: its values have names`, 'a space before ( makes it a condition');
  }
  const parameters: Parameter[] = [];
  if (parser.takeIf(')') !== undefined) {
    return parameters;
  }
  do {
    const { start } = parser.next;
    // A word alone is a name: its type is known, or does not matter.
    const first = parser.next;
    if (first.kind !== 'name') {
      parser.fail(first, 'there should be a parameter here', 'a space before ( makes it a condition');
    }
    const type = parser.type();
    const name = parser.next;
    if (name.kind === 'name') {
      parser.take();
      parameters.push({ name: name.text, type, start, end: name.end });
    } else if (type.words.length === 1 && type.pointers === 0) {
      parameters.push({ name: type.words[0] ?? '', start, end: type.end });
    } else {
      parser.fail(name, 'there should be the name of the parameter here', 'a space before ( makes it a condition');
    }
  } while (parser.takeIf(',') !== undefined);
  parser.expect(')', 'there should be a comma or a ) here');
  return parameters;
}

function checkCount(text: string, quoted: Span, format: Format, values: readonly Expression[]): void {
  const wanted = format.conversions.length;
  if (values.length > MOST_VALUES) {
    throw specificationError(text, values[MOST_VALUES] as Span, `${MOST_VALUES} values are the most`);
  }
  if (values.length < wanted) {
    const missing = format.conversions[values.length] as Span;
    throw specificationError(text, missing, `there is no value for this conversion: ${values.length} of ${wanted}`);
  }
  if (values.length > wanted) {
    const why = `the format has ${wanted} conversions, and this is value ${wanted + 1}`;
    throw specificationError(text, values[wanted] ?? quoted, why);
  }
}
