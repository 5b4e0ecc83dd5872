import type { JsonValue } from './json.ts';

/** What no parser of YAML, of whatever version, takes for anything but text. */
const plain = /^[A-Za-z][A-Za-z0-9_./-]*$/;
const words = /^(?:y|n|yes|no|on|off|true|false|null)$/i;
/** Where JSON and YAML do not agree, or a terminal might. */
const unprintable =
  /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\uffff]/g;

/** A value as a document of YAML, with `---` above it. Text is quoted where it could be taken for something else. */
export function yamlDocument(value: JsonValue): string {
  const lines = linesOf(value);
  return `---\n${(typeof lines === 'string' ? [lines] : lines).join('\n')}\n`;
}

/** One line that may stand behind a key, or lines of its own. */
function linesOf(value: JsonValue): string | readonly string[] {
  if (typeof value === 'string') {
    return scalar(value);
  }
  if (value === null || typeof value !== 'object') {
    return String(value);
  }
  if (isList(value)) {
    return value.length === 0 ? '[]' : value.flatMap(item);
  }
  const entries = Object.entries(value);
  return entries.length === 0 ? '{}' : entries.flatMap(([key, one]) => entry(key, one));
}

function entry(key: string, value: JsonValue): readonly string[] {
  const lines = linesOf(value);
  if (typeof lines === 'string') {
    return [`${scalar(key)}: ${lines}`];
  }
  return [`${scalar(key)}:`, ...(isList(value) ? lines : lines.map((line) => `  ${line}`))];
}

function item(value: JsonValue): readonly string[] {
  const lines = linesOf(value);
  return typeof lines === 'string' ? [`- ${lines}`] : lines.map((line, i) => (i === 0 ? `- ${line}` : `  ${line}`));
}

function scalar(text: string): string {
  return plain.test(text) && !words.test(text)
    ? text
    : JSON.stringify(text).replace(unprintable, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
