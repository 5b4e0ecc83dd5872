import { isText } from './c-types.ts';
import { type Checker, described, membersHint } from './check.ts';
import type { Conversion } from './format.ts';
import { specificationError } from './specification-error.ts';
import type { Expression } from './syntax.ts';
import { extended, type Typed } from './value.ts';

/** A value as a record carries it and a message shows it. */
export interface PrintedValue {
  /** How it is written in the specification: its name in JSON. */
  readonly name: string;
  readonly typed: Typed;
  /** Bytes of a text with its end, 0 for a number. */
  readonly text: number;
  readonly as: 'number' | 'text' | 'name' | 'letter' | 'kernel symbol' | 'user symbol';
}

/**
 * A value for a conversion. @param room bytes for a text, with its end
 * @throws KscopeError usage when it cannot be written so
 */
export function printedValue(
  whole: string,
  checker: Checker,
  expression: Expression,
  conversion: Conversion,
  room: number,
): PrintedValue {
  const typed = checker.value(expression);
  const { type } = typed;
  const name = whole.slice(expression.start, expression.end).replace(/\s+/g, ' ');
  const { letter, bits } = conversion;
  if (letter === 's') {
    if (type.is === 'number' && type.names !== undefined) {
      return { name, typed, text: 0, as: 'name' };
    }
    if (typed.value.op !== 'comm' && !checker.textual(typed)) {
      const hint = type.is === 'number' ? '%d writes a number' : membersHint(type);
      throw specificationError(whole, expression, `%s writes a text, and this is ${described(type)}`, hint);
    }
    const most = type.is === 'array' && isText(type) ? Math.min(room, type.count + 1) : room;
    return { name, typed, text: most, as: 'text' };
  }
  if (type.is === 'structure' || type.is === 'opaque' || (type.is === 'array' && letter !== 'p')) {
    const hint = isText(type) ? '%s writes a text' : membersHint(type);
    throw specificationError(whole, expression, `%${letter} writes a number, and this is ${described(type)}`, hint);
  }
  const as = letter === 'c' ? 'letter' : letter === 'K' ? 'kernel symbol' : letter === 'U' ? 'user symbol' : 'number';
  const wide = as !== 'number' || letter === 'p' || bits === 64;
  // Of a register it is the conversion that says how much of it counts; a type knows better.
  if (!wide && (bits < 32 || (type.is === 'number' && type.register === true))) {
    const signed = letter === 'd';
    const narrow = { is: 'number', name: signed ? 'int' : 'unsigned int', size: (bits / 8) as 4, signed } as const;
    return { name, typed: { ...typed, type: narrow, value: extended(typed.value, bits, signed) }, text: 0, as };
  }
  if (type.is === 'number' && type.register === true && letter === 'd') {
    return { name, typed: { ...typed, type: { ...type, signed: true, register: false, name: 'long' } }, text: 0, as };
  }
  return { name, typed, text: 0, as };
}
