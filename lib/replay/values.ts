import { KscopeError } from '../model/errors.ts';
import { escapeControls, unescapeText } from '../model/escape.ts';
import { stackType } from '../model/frames.ts';
import type { Frame } from '../model/message.ts';
import { type Instant, type SemanticType, semanticType } from '../model/types.ts';

/** What is not what it should be: says what it is instead. */
export class Misfit extends Error {}

/** The type that a recording names: one of ours, or one that only knows how JSON is shown. */
export function recordedType(name: string, align: 'left' | 'right' = 'left', width = 8): SemanticType {
  const [, whose] = /^(user|kernel)_stack$/.exec(name) ?? [];
  return whose === undefined
    ? (semanticType(name) ?? unknownType(name, align, width))
    : (stackType(whose as 'user' | 'kernel') as SemanticType);
}

/** A value whose meaning is not known: text and numbers as they are, anything else as JSON. */
export function unknownType(name: string, align: 'left' | 'right', width: number): SemanticType {
  return {
    name,
    help: 'value',
    typescript: 'unknown',
    schema: {},
    width,
    align,
    optional: true,
    decode: {
      from: 'number',
      back: () => {
        throw new KscopeError('failed', `a value of type ${name} cannot be written`);
      },
    },
    text: (value) => (typeof value === 'string' ? value : String(plain(value))),
  };
}

function plain(value: unknown): string | number | boolean {
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string'
    ? value
    : escapeControls(JSON.stringify(value) ?? '-');
}

/**
 * A value from its JSON. Text is escaped where it steers a terminal: in a recording that nobody has changed, it is
 * already. @throws Misfit
 */
export function valueFrom(type: SemanticType, json: unknown): unknown {
  if (type.name === 'boot_ns_t') {
    return instantOf(json);
  }
  switch (type.typescript) {
    case 'number':
      // JSON has no NaN.
      return json === null ? Number.NaN : numberOf(json);
    case 'string':
      return textOf(json);
    case 'boolean':
      if (typeof json !== 'boolean') {
        throw new Misfit(`${show(json)} is not true or false`);
      }
      return json;
    case 'readonly string[]':
      return listOf(json).map(textOf);
    case 'Stack':
      return json === null ? 'missed' : framesOf(json);
    case 'bigint':
      return bigintOf(json);
    default:
      return safe(json);
  }
}

/** @throws Misfit */
export function numberOf(json: unknown): number {
  if (typeof json !== 'number' || !Number.isFinite(json)) {
    throw new Misfit(`${show(json)} is not a number`);
  }
  return json;
}

function bigintOf(json: unknown): bigint {
  if (typeof json !== 'string' || !/^-?\d{1,20}$/.test(json)) {
    throw new Misfit(`${show(json)} is not a whole number`);
  }
  return BigInt(json);
}

/** @throws Misfit */
export function textOf(json: unknown): string {
  if (typeof json !== 'string') {
    throw new Misfit(`${show(json)} is not a text`);
  }
  return escapeControls(json);
}

/** @throws Misfit */
export function listOf(json: unknown, most = 1_000_000): readonly unknown[] {
  if (!Array.isArray(json) || json.length > most) {
    throw new Misfit(Array.isArray(json) ? `a list of ${json.length} is too long` : `${show(json)} is not a list`);
  }
  return json;
}

export type Members = Readonly<Record<string, unknown>>;

/** @throws Misfit */
export function membersOf(json: unknown): Members {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new Misfit(`${show(json)} is not an object`);
  }
  return json as Members;
}

const rfc3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{6})(Z|[+-]\d\d:\d\d)$/;

/** An instant as JSON writes it. @throws Misfit */
export function instantOf(json: unknown): Instant {
  const [, second, micros, zone] = (typeof json === 'string' ? rfc3339.exec(json) : null) ?? [];
  const millis = Date.parse(`${second}${zone}`);
  if (Number.isNaN(millis)) {
    throw new Misfit(`${show(json)} is not a time`);
  }
  return millis * 1000 + Number(micros);
}

const mostFrames = 1024;

/** The frames of a stack. @throws Misfit */
export function framesOf(json: unknown): Frame[] {
  return listOf(json, mostFrames).map(frameOf);
}

function frameOf(json: unknown): Frame {
  const { address, symbol, offset, module } = membersOf(json);
  if (typeof address !== 'string' || !/^0x[0-9a-f]{1,16}$/.test(address)) {
    throw new Misfit('a frame has no address');
  }
  return {
    address: BigInt(address),
    ...(symbol !== undefined && { symbol: rawText(symbol) }),
    ...(offset !== undefined && { offset: numberOf(offset) }),
    ...(module !== undefined && { module: rawText(module) }),
  };
}

/** Frames are escaped when they are shown, and JSON has them so. */
function rawText(json: unknown): string {
  return Buffer.from(unescapeText(textOf(json))).toString('utf8');
}

/** Any JSON with its texts made safe. */
function safe(json: unknown): unknown {
  if (typeof json === 'string') {
    return escapeControls(json);
  }
  return json === null ? undefined : json;
}

function show(json: unknown): string {
  const text = JSON.stringify(json) ?? 'nothing';
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}
