import type { JsonSchema } from '../model/json.ts';

const text: JsonSchema = { type: 'string' };
const time: JsonSchema = { type: 'string', format: 'date-time' };
const number: JsonSchema = { type: 'number', minimum: 0 };
const natural: JsonSchema = { type: 'integer', minimum: 0 };

function line(type: string, description: string, properties: JsonSchema['properties'], optional: string[] = []) {
  const all: Readonly<Record<string, JsonSchema>> = { type: { const: type }, ...properties };
  const required = Object.keys(all).filter((name) => !optional.includes(name));
  return { description, type: 'object', properties: all, required } as const satisfies JsonSchema;
}

function members(properties: NonNullable<JsonSchema['properties']>, optional: string[] = []): JsonSchema {
  return { type: 'object', properties, required: Object.keys(properties).filter((name) => !optional.includes(name)) };
}

const hook = members({ program: text, hook: text });

/** What every tool may say besides its data: see `JsonOutput`. */
const others: readonly JsonSchema[] = [
  line('ready', 'first line: all hooks are attached', { tool: text, time, hooks: { type: 'array', items: hook } }),
  line('lost', 'records that were not delivered', { what: text, count: natural, total: natural }),
  line('warning', 'something that makes the data less than it seems', { text, hint: text }, ['hint']),
  line(
    'stats',
    'what tracing cost since everything was attached, when asked for',
    {
      time,
      seconds: number,
      cpu_seconds: members({ user: number, system: number }),
      memory: natural,
      programs: {
        type: 'array',
        items: members({ program: text, hook: text, runs: natural, run_ns: natural }, ['runs', 'run_ns']),
      },
      uncounted: text,
      maps: { type: 'array', items: members({ map: text, entries: natural, max: natural }) },
      rings: { type: 'array', items: members({ ring: text, peak: natural, size: natural }) },
      lost: { type: 'array', items: members({ what: text, total: natural }) },
    },
    ['uncounted'],
  ),
];

/** The schema of any line that a tool prints, from that of its data. */
export function lineSchema(data: JsonSchema): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    oneOf: [...(data.oneOf ?? [data]), ...others],
  };
}
