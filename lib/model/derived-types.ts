import { KscopeError } from './errors.ts';
import { escapeText } from './escape.ts';
import type { JsonSchema, JsonValue } from './json.ts';
import { asIs, natural, noValue, text } from './type-parts.ts';
import { type Decoding, renderJson, renderText, type SemanticType } from './types.ts';

/** A number without a meaning of its own. `name` is its C type: 'u32', 'double'. */
export function plainNumber(name: string, signed: boolean, whole: boolean): SemanticType<number> {
  return {
    name,
    help: 'number',
    typescript: 'number',
    schema: whole ? (signed ? { type: 'integer' } : natural) : { type: 'number' },
    width: 8,
    align: 'right',
    optional: false,
    decode: { from: 'number' },
    text: asIs,
    // JSON has no NaN and no infinity.
    ...(whole ? {} : { json: (value: number) => (Number.isFinite(value) ? value : null) }),
  };
}

/** A 64-bit integer without a meaning: exact, so a bigint, and text in JSON. */
export function plainBigint(name: string, signed: boolean): SemanticType<bigint> {
  return {
    name,
    help: 'number',
    typescript: 'bigint',
    schema: { type: 'string', pattern: signed ? '^-?[0-9]+$' : '^[0-9]+$' },
    width: 10,
    align: 'right',
    optional: false,
    decode: { from: 'bigint' },
    text: asIs,
    json: asIs,
  };
}

export const plainBoolean: SemanticType<boolean> = {
  name: 'bool',
  help: 'yes or no',
  typescript: 'boolean',
  schema: { type: 'boolean' },
  width: 5,
  align: 'left',
  optional: false,
  decode: { from: 'number', to: (raw) => raw !== 0, back: (value) => (value === true ? 1 : 0) },
  text: (value) => (value ? 'yes' : 'no'),
};

/** A char array without a meaning of its own. */
export const plainText: SemanticType<string> = text('char[]', 'text', 16, true);

/** An enumeration: its name where the number has one, the number in decimal where not. */
export function enumeration(name: string, values: ReadonlyMap<bigint, string>): SemanticType<string> {
  const names = new Map<bigint, string>();
  const numbers = new Map<string, bigint>();
  for (const [value, label] of values) {
    // A label is input: it reaches terminals and JSON like any other text.
    const safe = escapeText(label);
    names.set(value, safe);
    numbers.set(safe, value);
  }
  const back = (value: string | undefined): bigint => {
    const number = value === undefined ? undefined : numbers.get(value);
    if (number === undefined && !/^-?\d+$/.test(value ?? '')) {
      throw noValue(name, value);
    }
    return number ?? BigInt(value as string);
  };
  const labels = [...numbers.keys()];
  const byNumber = new Map([...names].map(([value, label]) => [Number(value), label]));
  const exact = [...byNumber.keys()].some((value) => !Number.isSafeInteger(value));
  return {
    name,
    help: `one of ${labels.join(', ')}`,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a type in TypeScript
    typescript: [...labels.map((label) => JSON.stringify(label)), '`${number}`'].join(' | '),
    schema: { oneOf: [{ enum: labels }, { type: 'string', pattern: '^-?[0-9]+$' }] },
    width: labels.reduce((width, label) => Math.max(width, Math.min(label.length, 24)), 1),
    align: 'left',
    optional: false,
    decode: exact
      ? { from: 'bigint', to: (raw) => names.get(raw) ?? String(raw), back }
      : { from: 'number', to: (raw) => byNumber.get(raw) ?? String(raw), back: (value) => Number(back(value)) },
    text: asIs,
  };
}

/** Several values of one type. */
export function arrayOf(element: SemanticType): SemanticType<readonly unknown[]> {
  const type = element.optional ? `(${element.typescript} | undefined)` : element.typescript;
  return {
    name: `${element.name}[]`,
    help: `${element.help}, several`,
    typescript: `readonly ${/[ |{]/.test(type) && !type.startsWith('(') ? `(${type})` : type}[]`,
    schema: { type: 'array', items: element.optional ? { oneOf: [element.schema, { const: null }] } : element.schema },
    width: element.width,
    align: 'left',
    optional: false,
    ...(element.additive === true && { additive: true }),
    decode: composite,
    text: (values, style) => values.map((value) => renderText(element, value, style)).join(' '),
    json: (values, utc) => values.map((value) => renderJson(element, value, utc) ?? null),
  };
}

export interface NamedType {
  readonly name: string;
  readonly semantic: SemanticType;
}

/** A structure inside a record. */
export function structOf(name: string, members: readonly NamedType[]): SemanticType<Readonly<Record<string, unknown>>> {
  return {
    name,
    help: 'structure',
    typescript: `{ ${members.map((member) => `${propertyTypescript(member)} `).join('')}}`,
    schema: objectSchema(members),
    width: 24,
    align: 'left',
    optional: false,
    decode: composite,
    text: (value, style) =>
      members.map(({ name, semantic }) => `${name}=${renderText(semantic, value[name], style)}`).join(' '),
    json: (value, utc) => {
      const out: Record<string, JsonValue> = {};
      for (const { name, semantic } of members) {
        const json = renderJson(semantic, value[name], utc);
        if (json !== undefined) {
          out[name] = json;
        }
      }
      return out;
    },
  };
}

// Arrays and structures are decoded member by member, never as a whole.
const composite: Decoding<undefined> = {
  from: 'bytes',
  to: () => undefined,
  back: () => {
    throw new KscopeError('failed', 'a structure is written member by member');
  },
};

/** A property of an object type: 'fd: number | undefined;'. The property is always there, also without a value. */
export function propertyTypescript({ name, semantic }: NamedType): string {
  return `${name}: ${semantic.typescript}${semantic.optional ? ' | undefined' : ''};`;
}

/** The JSON Schema of an object with one property for each member. */
export function objectSchema(members: readonly NamedType[]): JsonSchema {
  return {
    type: 'object',
    properties: Object.fromEntries(members.map(({ name, semantic }) => [name, semantic.schema])),
    required: members.filter(({ semantic }) => !semantic.optional).map(({ name }) => name),
  };
}
