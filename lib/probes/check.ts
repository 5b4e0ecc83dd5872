import { type CType, isText, nameOf, nearestTypes, nothing, s64, sizeOf, typeNamed, u64 } from './c-types.ts';
import { nearestNames, type Span, specificationError } from './specification-error.ts';
import type { Comparison, Expression } from './syntax.ts';
import { extended, further, loaded, numberValue, type SameText, type Scope, type Typed, type Value } from './value.ts';

/** What of an expression's meaning is up to options. */
export interface Dialect {
  /** STRCMP takes a list of bytes, "{0x01, 0x02}", and compares that many. */
  readonly bytes?: boolean;
}

const MOST_COMPARED = 128;
const comparisons = new Set(['==', '!=', '<', '<=', '>', '>=']);
const exact = new Set(['==', '!=']);

/** Gives the expressions of a text their types and meanings at a place. */
export class Checker {
  readonly #text: string;
  readonly #scope: Scope;
  readonly #dialect: Dialect;

  constructor(text: string, scope: Scope, dialect: Dialect = {}) {
    this.#text = text;
    this.#scope = scope;
    this.#dialect = dialect;
  }

  /** @throws KscopeError usage, with a line that points at what is wrong */
  value(expression: Expression): Typed {
    switch (expression.is) {
      case 'number':
        return scalar(numberValue(expression.value), expression.value >= 1n << 63n);
      case 'text':
        return this.#fail(expression, 'a text can only be compared', 'write name == "text"');
      case 'name':
        return this.#scope.find(expression.name) ?? this.#unknown(expression.name, expression);
      case 'member':
        return this.#member(expression);
      case 'element': {
        const of = this.value(expression.of);
        const index = this.#number(expression.index);
        return this.#at(of, index.value, expression.of, 'an element');
      }
      case 'unary':
        return this.#unary(expression);
      case 'binary':
        return this.#binary(expression);
      case 'cast':
        return this.#cast(expression);
      case 'call':
        return this.#entry(expression) ?? scalar(this.#call(expression), false);
      case 'user': {
        const of = this.value(expression.of);
        return { ...of, space: 'user' };
      }
    }
  }

  /** A value that is true or not. */
  condition(expression: Expression): Value {
    return this.#number(expression).value;
  }

  #fail(span: Span, why: string, ...hints: readonly string[]): never {
    throw specificationError(this.#text, span, why, ...hints);
  }

  #unknown(name: string, span: Span): never {
    const names = [...this.#scope.names()];
    const why = this.#scope.why?.(name) ?? '';
    const near = nearestNames('did you mean', name, names);
    const known = names.length === 0 ? '' : `known here: ${names.slice(0, 40).join(', ')}`;
    return this.#fail(span, why === '' ? `there is no '${name}' here` : why, near, known);
  }

  /** A number or a pointer, and nothing that is only an address. */
  #number(expression: Expression): Typed {
    const typed = this.value(expression);
    const { type, value } = typed;
    if (value.op === 'comm' || type.is === 'structure' || type.is === 'opaque') {
      this.#fail(expression, `this is no number: it is ${described(type)}`, membersHint(type));
    }
    return typed;
  }

  #member(expression: Expression & { readonly is: 'member' }): Typed {
    const of = this.value(expression.of);
    const target = of.type.is === 'pointer' ? of.type.target() : of.type;
    const { name, at, arrow } = expression;
    if (target.is !== 'structure') {
      if (target.is === 'opaque' && target.name !== nothing.name) {
        return this.#fail(at, `nothing is known about ${target.name}`, nearestTypes(this.#scope.type, target.name));
      }
      const hint = of.type.is === 'number' ? 'a cast says what it points to: ((struct sock *)arg1)->…' : '';
      return this.#fail(at, `${described(of.type)} has no members`, hint);
    }
    // What a pointer points to is known: the kernel's own mistakes here are those of people.
    if (arrow !== (of.type.is === 'pointer') && of.type.is === 'pointer') {
      this.#fail(at, `this is a pointer: write ->${name}`);
    }
    const address = of.value;
    const member = target.member(name);
    const dynamic = address.op === 'context address' ? this.#scope.dynamic?.get(name) : undefined;
    if (dynamic !== undefined) {
      const type: CType = { is: 'array', element: () => dynamic.element, count: 0xffff };
      return { type, value: { op: 'dynamic address', field: dynamic }, space: 'kernel' };
    }
    if (member === undefined) {
      const names = [...target.names()];
      const near = nearestNames('did you mean', name, names);
      const all = `members: ${names.slice(0, 60).join(', ')}${names.length > 60 ? ', …' : ''}`;
      return this.#fail(at, `${target.name} has no member '${name}'`, near || all);
    }
    if (member.bits > 0) {
      return this.#bitField(address, member, of);
    }
    return loaded(further(address, member.bitOffset / 8), member.type, of.space);
  }

  #bitField(address: Value, member: { type: CType; bitOffset: number; bits: number }, { space }: Typed): Typed {
    const first = Math.floor(member.bitOffset / 8);
    const bytes = Math.ceil((member.bitOffset + member.bits) / 8) - first;
    const width = bytes === 1 ? 1 : bytes === 2 ? 2 : bytes <= 4 ? 4 : 8;
    const signed = member.type.is === 'number' && member.type.signed;
    const of: Value = { op: 'read', address: further(address, first), width, space };
    return {
      type: member.type,
      value: { op: 'bits', of, first: member.bitOffset - first * 8, count: member.bits, signed },
      space,
    };
  }

  /** What is that many elements further than where a pointer points or an array begins. */
  #at(of: Typed, index: Value, span: Span, what: string): Typed {
    const element =
      of.type.is === 'pointer' ? of.type.target() : of.type.is === 'array' ? of.type.element() : undefined;
    if (element === undefined) {
      return this.#fail(
        span,
        `${described(of.type)} has no elements`,
        'a cast says what it points to: ((int *)arg1)[0]',
      );
    }
    const size = sizeOf(element);
    if (size === 0) {
      return this.#fail(span, `nothing is known about ${what} of '${nameOf(element)}'`);
    }
    return loaded(moved(of.value, index, size), element, of.space);
  }

  #unary(expression: Expression & { readonly is: 'unary' }): Typed {
    const { operator, of } = expression;
    switch (operator) {
      case '!':
        return scalar({ op: 'not', of: this.condition(of) }, false);
      case '*':
        return this.#at(this.value(of), numberValue(0n), of, 'what is at an address');
      case '&': {
        const { type, value, space } = this.value(of);
        if (value.op === 'comm' || (type.is !== 'structure' && type.is !== 'array' && value.op !== 'read')) {
          this.#fail(of, 'this has no address');
        }
        return {
          type: { is: 'pointer', target: () => type },
          value: value.op === 'read' ? value.address : value,
          space: value.op === 'read' ? value.space : space,
        };
      }
      default: {
        const { type, value } = this.#number(of);
        const unsigned = isUnsigned(type);
        if (operator === '+') {
          return scalar(value, unsigned);
        }
        if (value.op === 'number') {
          const result = operator === '-' ? -value.value : ~value.value;
          return scalar(numberValue(result), false);
        }
        return scalar({ op: operator === '-' ? 'negative' : 'complement', of: value }, unsigned);
      }
    }
  }

  #binary(expression: Expression & { readonly is: 'binary' }): Typed {
    const { operator, left, right } = expression;
    if (operator === '&&' || operator === '||') {
      return scalar({ op: 'logic', operator, left: this.condition(left), right: this.condition(right) }, false);
    }
    if (left.is === 'text' || right.is === 'text') {
      const [text, other] = left.is === 'text' ? [left, right] : [right, left];
      if (!exact.has(operator) || text.is !== 'text') {
        this.#fail(expression, `texts are the same or not: there is no ${operator} of them`);
      }
      return scalar(this.#sameText(other, text, 'whole', operator === '=='), false);
    }
    const [a, b] = [this.#number(left), this.#number(right)];
    const unsigned = isUnsigned(a.type) || isUnsigned(b.type);
    if (comparisons.has(operator)) {
      this.#checkSign(expression, a, b);
      const compare = operator as Comparison;
      return scalar({ op: 'compare', operator: compare, left: a.value, right: b.value, signed: !unsigned }, false);
    }
    if ((operator === '+' || operator === '-') && (points(a.type) || points(b.type))) {
      return this.#pointerSum(expression, a, b);
    }
    const arithmetic = operator as '+';
    const signed = operator === '>>' || operator === '<<' ? !isUnsigned(a.type) : !unsigned;
    return scalar({ op: 'arithmetic', operator: arithmetic, left: a.value, right: b.value, signed }, !signed);
  }

  #pointerSum({ operator, left, right }: Expression & { readonly is: 'binary' }, a: Typed, b: Typed): Typed {
    if (points(a.type) && points(b.type)) {
      return operator === '-'
        ? scalar({ op: 'arithmetic', operator, left: a.value, right: b.value, signed: true }, false)
        : this.#fail(right, 'two pointers cannot be added');
    }
    const [pointer, index] = points(a.type) ? [a, b] : [b, a];
    if (operator === '-' && pointer === b) {
      this.#fail(left, 'a pointer cannot be taken from a number');
    }
    const target =
      pointer.type.is === 'pointer'
        ? pointer.type.target()
        : pointer.type.is === 'array'
          ? pointer.type.element()
          : u64;
    const by: Value = operator === '-' ? negative(index.value) : index.value;
    return {
      type: { is: 'pointer', target: () => target },
      value: moved(pointer.value, by, sizeOf(target) || 1),
      space: pointer.space,
    };
  }

  /** Comparisons that can only have one result are not what somebody wanted to say. */
  #checkSign(expression: Expression & { readonly is: 'binary' }, a: Typed, b: Typed): void {
    const { operator, left, right } = expression;
    const [number, other, span] = a.value.op === 'number' ? [a.value, b, right] : [b.value, a, left];
    if (number.op !== 'number' || !isUnsigned(other.type)) {
      return;
    }
    const never = number.value < 0n || (number.value === 0n && operator === (span === left ? '<' : '>'));
    if (never && !(exact.has(operator) && other.type.is === 'pointer')) {
      const text = this.#text.slice(span.start, span.end);
      const why = other.type.is === 'number' && other.type.register ? 'has no known type' : 'has no sign';
      this.#fail(span, `'${text}' ${why}, so it is never below 0`, `a cast gives it a sign: (int)${text}`);
    }
  }

  #cast({ type: name, of }: Expression & { readonly is: 'cast' }): Typed {
    const type = typeNamed(this.#text, name, this.#scope.type);
    const { value, space } = this.#number(of);
    if (type.is === 'number') {
      return { type, value: extended(value, type.size * 8, type.signed), space };
    }
    if (type.is !== 'pointer') {
      return this.#fail(name, `nothing can be made a ${nameOf(type)}`, `a pointer to it can: (${nameOf(type)} *)`);
    }
    return { type, value, space };
  }

  #entry({ name, arguments: given, ...span }: Expression & { readonly is: 'call' }): Typed | undefined {
    const [only] = given;
    if (name !== '$entry' || this.#scope.entry === undefined) {
      return undefined;
    }
    return only === undefined || given.length > 1
      ? this.#fail(span, '$entry takes one value: what it was when the function was entered')
      : this.#scope.entry(only);
  }

  #call(expression: Expression & { readonly is: 'call' }): Value {
    const { name, arguments: given } = expression;
    const how = name === 'STRCMP' ? 'whole' : name === 'STARTS' ? 'beginning' : undefined;
    if (how === undefined) {
      return this.#fail(
        expression,
        `there is no function '${name}'`,
        nearestNames('did you mean', name, [
          'STRCMP',
          'STARTS',
          ...(this.#scope.entry === undefined ? [] : ['$entry']),
        ]),
        'functions: STRCMP("text", value), STARTS("text", value)',
      );
    }
    const [first, second] = given;
    const text = first?.is === 'text' ? first : second;
    const other = first?.is === 'text' ? second : first;
    if (given.length !== 2 || text?.is !== 'text' || other === undefined || other.is === 'text') {
      return this.#fail(expression, `${name} takes a text and a value`, `${name}("text", value)`);
    }
    return this.#dialect.bytes === true && how === 'whole'
      ? this.#sameText(other, { ...text, bytes: this.#byteList(text) }, 'bytes', true)
      : this.#sameText(other, text, how, true);
  }

  #byteList(text: Expression & { readonly is: 'text' }): Uint8Array {
    const [, list] =
      /^\{\s*((?:0x[0-9a-fA-F]{1,2}|\d{1,3})(?:\s*,\s*(?:0x[0-9a-fA-F]{1,2}|\d{1,3}))*)\s*,?\s*\}$/.exec(
        Buffer.from(text.bytes).toString('latin1'),
      ) ?? [];
    const numbers = list?.split(',').map(Number) ?? [];
    return numbers.length === 0 || numbers.some((one) => one > 255)
      ? this.#fail(text, 'this is no list of bytes', '"{0x01, 0x02}"')
      : Uint8Array.from(numbers);
  }

  #sameText(other: Expression, text: Expression & { is: 'text' }, how: SameText['how'], equal: boolean): Value {
    if (text.bytes.length > MOST_COMPARED) {
      this.#fail(text, `a text that is compared has ${MOST_COMPARED} bytes at most`);
    }
    const typed = this.value(other);
    if (how === 'bytes' ? !points(typed.type) && !holdsAddress(typed.type) : !this.textual(typed)) {
      this.#fail(other, `${described(typed.type)} is no text`);
    }
    const { type, value: address, space } = typed;
    const most = type.is === 'array' && isText(type) ? { most: type.count + 1 } : {};
    return { op: 'same text', address, space, bytes: text.bytes, how, equal, ...most };
  }

  /** Whether there can be a text where a value points. */
  textual({ type }: Typed): boolean {
    return isText(type) || holdsAddress(type);
  }
}

function holdsAddress(type: CType): boolean {
  return (type.is === 'number' && type.size === 8) || (type.is === 'pointer' && type.target().is === 'opaque');
}

function points(type: CType): boolean {
  return type.is === 'pointer' || type.is === 'array';
}

function isUnsigned(type: CType): boolean {
  return points(type) || (type.is === 'number' && type.size === 8 && !type.signed);
}

function scalar(value: Value, unsigned: boolean): Typed {
  return { type: unsigned ? u64 : s64, value, space: 'any' };
}

function negative(value: Value): Value {
  return value.op === 'number' ? numberValue(-value.value) : { op: 'negative', of: value };
}

function moved(address: Value, index: Value, size: number): Value {
  if (index.op === 'number' && index.value > -(1n << 30n) && index.value < 1n << 30n) {
    return further(address, Number(index.value) * size);
  }
  const bytes: Value =
    size === 1
      ? index
      : { op: 'arithmetic', operator: '*', left: index, right: numberValue(BigInt(size)), signed: false };
  return { op: 'arithmetic', operator: '+', left: address, right: bytes, signed: false };
}

/** What a type is, in a sentence. */
export function described(type: CType): string {
  switch (type.is) {
    case 'structure':
      return `a ${type.name}`;
    case 'number':
      return type.register === true ? 'a register, whose type is not known,' : `a number (${type.name})`;
    case 'pointer':
      return `a pointer (${nameOf(type)})`;
    case 'array':
      return `an array (${nameOf(type)})`;
    default:
      return `of a type that is only declared (${type.name})`;
  }
}

/** What can be named of a structure. */
export function membersHint(type: CType): string {
  return type.is === 'structure' ? `members: ${[...type.names()].slice(0, 40).join(', ')}` : '';
}
