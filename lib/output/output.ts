import type { Message } from '../model/message.ts';

/** One way to print what a tool says. */
export interface Output {
  /** Prints a message; returns a promise when the caller should wait before the next one. */
  message(message: Message): Promise<void> | undefined;
}
