import type { Message } from '../model/message.ts';

/** One way to print what a tool says. */
export interface Output {
  /**
   * Prints a message. Returns a promise when the caller should wait before the next one: for room, or because it takes
   * longer to compose what is printed.
   */
  message(message: Message): Promise<void> | undefined;
  /** Waits until all that was given is with the writer, whether or not the promises of `message` were waited for. */
  rendered?(): Promise<void>;
  /** Ends it, after a failure too: what was written stays, what was taken is given back. */
  close?(): Promise<void> | void;
}
