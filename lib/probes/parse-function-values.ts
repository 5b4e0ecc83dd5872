import { ExpressionParser } from './parse-expression.ts';
import { limited, type Place } from './parse-specification.ts';
import { specificationError } from './specification-error.ts';
import { type Expression, hasName } from './syntax.ts';

/** A function of the kernel, and which of its parameters are shown: 'vfs_read(file->f_inode, count > 4096, return)'. */
export interface FunctionValues {
  readonly text: string;
  readonly place: Place;
  /** Undefined means all parameters, and the result. */
  readonly values?: readonly FunctionValue[];
}

/** A value, and the condition under which the call is shown: one that the value is a part of. */
export interface FunctionValue {
  readonly value: Expression;
  readonly condition?: Expression;
}

/** The name of the result. */
export const RETURN = 'return';

const MOST_VALUES = 16;
const forms = "a function: 'vfs_read'; some of its values: 'vfs_read(file->f_inode, count > 4096, return)'";

/** @throws KscopeError usage, with a line that points at what is wrong */
export function parseFunctionValues(text: string): FunctionValues {
  const whole = limited(text);
  const start = /^\s*/.exec(text)?.[0].length ?? 0;
  const name = /^[\w.]*/.exec(text.slice(start))?.[0] ?? '';
  const at = { start, end: start + name.length };
  const parser = new ExpressionParser(whole, at.end);
  if (name === '') {
    throw specificationError(text, parser.next, 'there should be the name of a function here', forms);
  }
  const place: Place = { ...at, kind: 'entry', where: '', name, at, offset: 0, kernel: true };
  if (parser.takeIf('(') === undefined) {
    return parser.next.kind === 'end'
      ? { text, place }
      : parser.fail(parser.next, 'there should be values in ( ) here, or nothing', forms);
  }
  const values: FunctionValue[] = [];
  do {
    if (values.length === MOST_VALUES) {
      parser.fail(parser.next, `${MOST_VALUES} values are the most`);
    }
    const given = parser.expression();
    const value = shown(given);
    values.push({ value, ...(value !== given && { condition: given }) });
  } while (parser.takeIf(',') !== undefined);
  parser.expect(')', 'there should be a comma or a ) here');
  if (parser.next.kind !== 'end') {
    parser.fail(parser.next, 'there should be nothing behind the )', 'each function is an argument of its own');
  }
  return { text, place, values };
}

const conditions = new Set(['==', '!=', '<', '<=', '>', '>=', '&&', '||']);

/** What a condition is about: the first that is no number and no text. */
function shown(given: Expression): Expression {
  if (given.is !== 'binary' || !conditions.has(given.operator)) {
    return given;
  }
  const { left, right } = given;
  return shown(left.is === 'number' || left.is === 'text' ? right : left);
}

/** Whether an expression names the result. */
export function namesReturn(one: Expression): boolean {
  return hasName(one, (name) => name === RETURN);
}
