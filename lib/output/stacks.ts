import { foldedFrames, stackNames } from '../model/frames.ts';
import type { FieldTypes, StacksMessage, WeighedStack } from '../model/message.ts';
import { renderText, type TextStyle } from '../model/types.ts';

/**
 * Stacks as text, the heaviest last: frames from the innermost on, then whose stack it is, then the weight.
 * @param delimited puts a line between kernel and user frames
 */
export function renderStacks(
  { stacks, types, tip, offsets, addresses, annotations }: StacksMessage,
  style: TextStyle,
  delimited: boolean,
): string {
  const blocks = addUp(stacks, (one) => {
    const mark = annotations ? '_[k]' : '';
    const kernel = stackNames(one.kernel, 'kernel', offsets, addresses)
      .reverse()
      .map((name) => name + mark);
    const user = stackNames(one.user, 'user', offsets, addresses).reverse();
    const between = delimited && kernel.length > 0 && user.length > 0 ? ['--'] : [];
    const type = tip === undefined ? undefined : types[tip];
    const about = type === undefined ? [] : [`${tip}: ${renderText(type, one.key[tip as string], style)}`];
    const whose = owner(one, types, style, tip);
    return [...about, ...kernel, ...between, ...user, ...(whose === '' ? [] : [`-                ${whose}`])]
      .map((line) => `    ${line}\n`)
      .join('');
  });
  return blocks.map(([text, weight]) => `${text}        ${weight}\n\n`).join('');
}

/** Stacks that read the same, taken at different instructions, are one to people. The heaviest last. */
function addUp(stacks: readonly WeighedStack[], text: (one: WeighedStack) => string): [string, number][] {
  const weights = new Map<string, number>();
  for (const one of stacks) {
    const key = text(one);
    weights.set(key, (weights.get(key) ?? 0) + one.weight);
  }
  return [...weights].sort(([, a], [, b]) => a - b);
}

/** 'nginx (181)': the command, then what else the key says. */
function owner({ key }: WeighedStack, types: FieldTypes, style: TextStyle, tip?: string): string {
  const shown = Object.entries(types).filter(([name]) => name !== tip && key[name] !== undefined);
  const { comm, ...rest } = Object.fromEntries(shown.map(([name, type]) => [name, renderText(type, key[name], style)]));
  const others = Object.values(rest).join(', ');
  return comm === undefined ? others : others === '' ? comm : `${comm} (${others})`;
}

/** One line for each stack, outermost frame first, frames between semicolons: what flame graph programs read. */
export function renderFolded({ stacks, tip, offsets }: StacksMessage): string {
  const lines = addUp(stacks, (one) =>
    foldedFrames(one, tip, offsets)
      .map((name) => name.replaceAll(';', ':'))
      .join(';'),
  );
  return lines.map(([line, weight]) => `${line} ${weight}\n`).join('');
}
