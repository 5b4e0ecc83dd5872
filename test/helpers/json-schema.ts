import type { JsonSchema } from '../../lib/model/json.ts';

/**
 * Says where a JSON value differs from a schema; empty when it fits. Stricter than the standard: a property that the
 * schema does not name is wrong unless `additionalProperties` allows it, and so is a keyword that is not known here.
 */
export function schemaProblems(schema: JsonSchema, value: unknown, where = '$'): string[] {
  const problems: string[] = [];
  for (const keyword of Object.keys(schema) as (keyof JsonSchema)[]) {
    const check: Check | undefined = checks[keyword];
    problems.push(
      ...(check === undefined ? [`${where}: keyword '${keyword}' is not known`] : check(schema, value, where)),
    );
  }
  return problems;
}

type Check = (schema: JsonSchema, value: unknown, where: string) => string[];

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const types: Readonly<Record<NonNullable<JsonSchema['type']>, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === 'boolean',
  object: isObject,
  array: Array.isArray,
  null: (value) => value === null,
};

const formats: Readonly<Record<string, RegExp>> = {
  'date-time': /^\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
};

function wrong(holds: boolean, where: string, value: unknown, what: string): string[] {
  return holds ? [] : [`${where}: ${JSON.stringify(value)} ${what}`];
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function isOtherKind({ properties }: JsonSchema, value: unknown): boolean {
  const kind = properties?.type?.const;
  return kind !== undefined && isObject(value) && Object.hasOwn(value, 'type') && value.type !== kind;
}

const patterns = new Map<string, RegExp>();

function compiled(pattern: string): RegExp {
  const known = patterns.get(pattern) ?? new RegExp(pattern, 'u');
  patterns.set(pattern, known);
  return known;
}

const checks: Readonly<Record<keyof JsonSchema, Check>> = {
  $schema: () => [],
  title: () => [],
  description: () => [],
  type: ({ type }, value, where) =>
    wrong(type !== undefined && types[type](value), where, value, `is not of type ${type}`),
  const: (schema, value, where) =>
    wrong(same(value, schema.const), where, value, `is not ${JSON.stringify(schema.const)}`),
  enum: (schema, value, where) =>
    wrong(schema.enum?.some((one) => same(one, value)) === true, where, value, 'is none of the values allowed'),
  format({ format = '' }, value, where) {
    const pattern = formats[format];
    return pattern === undefined
      ? [`${where}: format '${format}' is not known`]
      : wrong(typeof value !== 'string' || pattern.test(value), where, value, `is not a ${format}`);
  },
  pattern: ({ pattern = '' }, value, where) =>
    wrong(typeof value !== 'string' || compiled(pattern).test(value), where, value, `does not match ${pattern}`),
  minimum: ({ minimum = 0 }, value, where) =>
    wrong(typeof value !== 'number' || value >= minimum, where, value, `is below ${minimum}`),
  maximum: ({ maximum = 0 }, value, where) =>
    wrong(typeof value !== 'number' || value <= maximum, where, value, `is above ${maximum}`),
  properties: ({ properties = {}, additionalProperties = false }, value, where) =>
    !isObject(value)
      ? []
      : Object.entries(value).flatMap(([name, member]) => {
          const known = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
          const at = `${where}.${name}`;
          return typeof known === 'object'
            ? schemaProblems(known, member, at)
            : wrong(known === true, at, member, 'is not in the schema');
        }),
  required: ({ required = [] }, value, where) =>
    !isObject(value)
      ? []
      : required.filter((name) => !Object.hasOwn(value, name)).map((name) => `${where}: '${name}' is missing`),
  // Looked at together with the properties; without any, they are these.
  additionalProperties: (schema, value, where) =>
    schema.properties === undefined ? checks.properties({ ...schema, properties: {} }, value, where) : [],
  items: ({ items = {} }, value, where) =>
    !Array.isArray(value) ? [] : value.flatMap((item, i) => schemaProblems(items, item, `${where}[${i}]`)),
  oneOf({ oneOf = [] }, value, where) {
    // Most lines say which kind they are of: no need to find all that is wrong with them as one of another kind.
    const found = oneOf.filter((one) => !isOtherKind(one, value)).map((one) => schemaProblems(one, value, where));
    const fitting = found.filter((problems) => problems.length === 0).length;
    return fitting === 1
      ? []
      : [`${where}: fits ${fitting} of ${oneOf.length} alternatives`, ...(fitting === 0 ? found.flat() : [])];
  },
};
