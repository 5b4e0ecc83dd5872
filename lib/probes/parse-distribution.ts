import { ExpressionParser } from './parse-expression.ts';
import { limited, type Place, parsePlace, parseSignature } from './parse-specification.ts';
import { type Span, specificationError } from './specification-error.ts';
import type { Expression, Parameter, TypeName } from './syntax.ts';

/** A place, and values whose combinations are counted: 'r:c:open(path):int:$retval:$latency > 1000#slow opens'. */
export interface Distribution {
  readonly text: string;
  readonly place: Place;
  readonly signature: readonly Parameter[];
  /** With the type that each is given, where one is. */
  readonly values: readonly { readonly expression: Expression; readonly type?: TypeName }[];
  readonly filter?: Expression;
  readonly label: string;
}

const form = 'TYPE:[LIBRARY]:FUNCTION([SIGNATURE])[:[TYPES]:VALUES[:FILTER]][#LABEL]';
const MOST_VALUES = 8;

/** @throws KscopeError usage, with a line that points at what is wrong */
export function parseDistribution(text: string): Distribution {
  limited(text);
  const open = text.indexOf('(');
  if (open < 0) {
    throw specificationError(text, { start: 0, end: text.length }, 'a function or event has () behind its name', form);
  }
  const place = parsePlace(text, { start: 0, end: open });
  const hash = outside(text, '#', open, text.length)[0];
  const end = hash ?? text.length;
  const close = text.indexOf(')', open);
  if (close < 0 || close > end) {
    throw specificationError(text, { start: open, end: open + 1 }, 'this ( has no )', form);
  }
  const head = new ExpressionParser(text, open, close + 1);
  const fields = place.kind === 'tracepoint' || place.kind === 'usdt';
  if (fields && text.slice(open + 1, close).trim() !== '') {
    throw specificationError(text, { start: open, end: close + 1 }, 'what has fields has no signature: ()');
  }
  const signature = fields ? [] : parseSignature(head, place);
  const colons = outside(text, ':', close, end);
  const parts = colons.map((colon, i): Span => ({ start: colon + 1, end: colons[i + 1] ?? end }));
  if (text.slice(close + 1, colons[0] ?? end).trim() !== '') {
    throw specificationError(text, { start: close + 1, end: colons[0] ?? end }, 'there should be a colon here', form);
  }
  if (parts.length > 3) {
    throw specificationError(text, parts[3] as Span, 'there is nothing behind the filter', form);
  }
  const [types, values] = parts.length === 1 ? [undefined, parts[0]] : parts;
  const filter = parts[2];
  return {
    text,
    place,
    signature,
    values: valuesOf(text, types, values),
    ...(filter !== undefined && { filter: whole(text, filter) }),
    label: hash === undefined ? text.slice(0, end).trim() : text.slice(hash + 1).trim(),
  };
}

/** Where a letter is that is not part of a quoted text. */
function outside(text: string, letter: string, from: number, to: number): number[] {
  const found: number[] = [];
  let quote = '';
  for (let i = from; i < to; i++) {
    const here = text[i] ?? '';
    if (quote !== '') {
      i += here === '\\' ? 1 : 0;
      quote = here === quote ? '' : quote;
    } else if (here === '"' || here === "'") {
      quote = here;
    } else if (here === letter) {
      found.push(i);
    }
  }
  return found;
}

function whole(text: string, { start, end }: Span): Expression {
  const parser = new ExpressionParser(text, start, end);
  const expression = parser.expression();
  return parser.next.kind === 'end' ? expression : parser.fail(parser.next, 'there should be nothing more here', form);
}

function listOf<T>(parser: ExpressionParser, read: () => T): T[] {
  const all: T[] = [];
  do {
    all.push(read());
  } while (parser.takeIf(',') !== undefined);
  return parser.next.kind === 'end' ? all : parser.fail(parser.next, 'there should be a comma or a colon here', form);
}

function valuesOf(text: string, types: Span | undefined, values: Span | undefined): Distribution['values'] {
  if (values === undefined) {
    return [];
  }
  const parser = new ExpressionParser(text, values.start, values.end);
  const expressions = listOf(parser, () => parser.expression());
  if (expressions.length > MOST_VALUES) {
    parser.fail(expressions[MOST_VALUES] as Span, `${MOST_VALUES} values are the most`);
  }
  if (types === undefined || text.slice(types.start, types.end).trim() === '') {
    return expressions.map((expression) => ({ expression }));
  }
  const typeParser = new ExpressionParser(text, types.start, types.end);
  const names = listOf(typeParser, () => typeParser.type());
  if (names.length !== expressions.length) {
    typeParser.fail(types, `there are ${names.length} types for ${expressions.length} values`);
  }
  return expressions.map((expression, i) => ({ expression, type: names[i] as TypeName }));
}
