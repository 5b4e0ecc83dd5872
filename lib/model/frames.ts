import { escapeText } from './escape.ts';
import type { JsonSchema, JsonValue } from './json.ts';
import type { Frame, Stack, WeighedStack } from './message.ts';
import type { SemanticType } from './types.ts';

/** How a frame is called where there is room for one word: function, or else module, or else address. */
export function frameName({ symbol, module, address, offset }: Frame, offsets = false): string {
  if (symbol !== undefined) {
    const place = offsets && offset !== undefined ? `+0x${offset.toString(16)}` : '';
    return `${escapeText(symbol)}${place}`;
  }
  return module === undefined
    ? `0x${address.toString(16)}`
    : `[${escapeText(module.replace(/^.*\//, '').replace(/^\[|\]$/g, ''))}+0x${(offset ?? 0).toString(16)}]`;
}

/** The same behind its address; what stands between stacks has none. */
function addressedName(frame: Frame, offsets: boolean): string {
  const name = frameName(frame, offsets);
  const address = `0x${frame.address.toString(16)}`;
  return frame.address === 0n || name === address ? name : `${address} ${name}`;
}

/** Names of a whole stack, the outermost first, with a placeholder for one that could not be kept. */
export function stackNames(stack: Stack, whose: 'user' | 'kernel', offsets = false, addresses = false): string[] {
  if (typeof stack === 'string') {
    return stack === 'missed' ? [`[missed ${whose} stack]`] : [];
  }
  return stack.map((frame) => (addresses ? addressedName : frameName)(frame, offsets)).reverse();
}

/** Command, user frames, kernel frames, the outermost first; then the field named `tip`. */
export function foldedFrames(one: WeighedStack, tip?: string, offsets = false): string[] {
  const { comm } = one.key;
  return [
    ...(typeof comm === 'string' ? [comm === '' ? '-' : comm] : []),
    ...stackNames(one.user, 'user', offsets),
    ...stackNames(one.kernel, 'kernel', offsets).map((name) => `${name}_[k]`),
    ...(tip === undefined ? [] : [String(one.key[tip])]),
  ];
}

/** The frames of a stack in JSON, innermost first; undefined when there are none. */
export function framesJson(stack: Stack): JsonValue | undefined {
  return typeof stack === 'string'
    ? undefined
    : stack.map(({ address, symbol, offset, module }) => ({
        address: `0x${address.toString(16)}`,
        ...(symbol !== undefined && { symbol: escapeText(symbol) }),
        ...(offset !== undefined && { offset }),
        ...(module !== undefined && { module: escapeText(module) }),
      }));
}

/** The schema of those. */
export const framesSchema: JsonSchema = {
  type: 'array',
  items: {
    type: 'object',
    properties: {
      address: { type: 'string' },
      symbol: { type: 'string' },
      offset: { type: 'integer' },
      module: { type: 'string' },
    },
    required: ['address'],
    additionalProperties: false,
  },
};

/** A stack as the field of a row: null in JSON when it could not be kept. */
export function stackType(whose: 'user' | 'kernel'): SemanticType<Stack> {
  return {
    name: `${whose}_stack`,
    help: `${whose} stack, innermost frame first; null when there was no place for it`,
    typescript: 'Stack',
    schema: { oneOf: [framesSchema, { type: 'null' }] },
    width: 24,
    align: 'left',
    optional: true,
    decode: { from: 'number' },
    text: (stack) => stackNames(stack, whose).reverse().join(';'),
    json: (stack) => framesJson(stack) ?? null,
  };
}
