import { KscopeError } from '../model/errors.ts';
import { escapeText } from '../model/escape.ts';

/** What people name when they choose places to trace: 'vfs_*', 'c:malloc', 't:sched:sched_*', 'u:node:gc__*'. */
export interface ProbePattern {
  /** As it was given. */
  readonly text: string;
  readonly kind: 'kernel' | 'user' | 'tracepoint' | 'usdt';
  /** Library, program or path of the file; category of a tracepoint; empty for the kernel. */
  readonly where: string;
  /** Of the function, event or probe; may have wildcards. */
  readonly name: string;
  /** Of a USDT probe, when it was given. */
  readonly provider?: string;
}

const forms =
  "a function of the kernel: 'vfs_*'; of a library or program: 'c:malloc', '/usr/bin/node:uv__*'; a tracepoint: 't:sched:*'; a USDT probe: 'u:/usr/bin/node:gc__*'";

/** @throws KscopeError usage for what is no pattern */
export function parseProbePattern(text: string): ProbePattern {
  const parts = text.split(':');
  const name = parts.at(-1) ?? '';
  const typed = parts.length > 2 && /^[ptu]?$/.test(parts[0] ?? '');
  const type = typed ? parts[0] : parts.length > 1 && parts[0] === 't' ? 't' : '';
  // A path may have colons in it.
  const where = parts.slice(typed ? 1 : 0, -1).join(':');
  if (name === '') {
    throw notOne(text, 'ends without a name');
  }
  if (type === 't') {
    if (parts.length !== 3 || where === '') {
      throw notOne(text, 'is no tracepoint: that takes a category and a name');
    }
    return { text, kind: 'tracepoint', where, name };
  }
  if (type === 'u') {
    // The provider can be told from a path only because no file is called so.
    const [, file = where, provider] = /^(.*):([A-Za-z_]\w*)$/.exec(where) ?? [];
    return { text, kind: 'usdt', where: file, name, ...(provider !== undefined && { provider }) };
  }
  // ':main' is of the program itself, 'p::vfs_read' of the kernel.
  return { text, kind: where === '' && (typed || parts.length === 1) ? 'kernel' : 'user', where, name };
}

function notOne(text: string, why: string): KscopeError {
  return new KscopeError('usage', `'${escapeText(text)}' ${why}`, { hint: forms });
}

/** Whether a pattern stands for one name only. */
export function isName(pattern: string): boolean {
  return !/[*?]/.test(pattern);
}

/**
 * Whether a name is one of those that a pattern means: * and ? stand for letters, or all of it is a regular expression
 * that the beginning of the name has to match. @throws KscopeError usage
 */
export function nameMatcher(pattern: string, regularExpression: boolean): (name: string) => boolean {
  if (!regularExpression && isName(pattern)) {
    return (name) => name === pattern;
  }
  let expression: RegExp;
  try {
    expression = regularExpression
      ? new RegExp(`^(?:${pattern})`, 'u')
      : new RegExp(
          `^${pattern
            .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
            .replaceAll('*', '.*')
            .replaceAll('?', '.')}$`,
          'su',
        );
  } catch (cause) {
    throw new KscopeError('usage', `'${escapeText(pattern)}' is not a regular expression`, { cause });
  }
  return (name) => expression.test(name);
}
