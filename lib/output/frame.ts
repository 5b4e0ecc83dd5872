import { escapeText } from '../model/escape.ts';
import type { Frame, Stack } from '../model/message.ts';

/** How a frame is called where there is room for one word: function, or else module, or else address. */
export function frameName({ symbol, module, address, offset }: Frame): string {
  if (symbol !== undefined) {
    return escapeText(symbol);
  }
  return module === undefined
    ? `0x${address.toString(16)}`
    : `[${escapeText(module.replace(/^.*\//, '').replace(/^\[|\]$/g, ''))}+0x${(offset ?? 0).toString(16)}]`;
}

/** Names of a whole stack, the outermost first, with a placeholder for one that could not be kept. */
export function stackNames(stack: Stack, whose: 'user' | 'kernel'): string[] {
  if (typeof stack === 'string') {
    return stack === 'missed' ? [`[missed ${whose} stack]`] : [];
  }
  return stack.map(frameName).reverse();
}
