import { KscopeError } from '../model/errors.ts';
import { escapeControls } from '../model/escape.ts';
import type { LostMessage, Message } from '../model/message.ts';
import { statsLines } from './stats-lines.ts';
import type { Writer } from './writer.ts';

/** Lines for people, on standard error: what is going on, what was lost, what failed. */
export class Status {
  readonly #writer: Writer;
  readonly #name: string;
  readonly #verbose: boolean;
  readonly #now: () => number;
  /** Lost and not yet told, by what it was. */
  readonly #lost = new Map<string, number>();
  #lostSaid = Number.NEGATIVE_INFINITY;

  /** `now` is a clock in milliseconds. */
  constructor(writer: Writer, name: string, options: { readonly verbose?: boolean; readonly now?: () => number } = {}) {
    this.#writer = writer;
    this.#name = name;
    this.#verbose = options.verbose ?? false;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Says what a message means to a person; data is not for here. */
  message(message: Message): void {
    switch (message.type) {
      case 'ready':
        if (this.#verbose) {
          for (const { program, hook } of message.hooks) {
            this.#line(`${program}: ${hook}`);
          }
        }
        this.#raw(`${message.activity}... Hit Ctrl-C to end.`);
        return;
      case 'lost':
        this.#sayLost(message);
        return;
      case 'warning':
        this.warning(message.text, message.hint);
        return;
      case 'stats':
        for (const line of statsLines(message)) {
          this.#line(line);
        }
        return;
      default:
        return;
    }
  }

  warning(text: string, hint?: string): void {
    this.#line(`warning: ${text}`);
    if (hint !== undefined) {
      this.#raw(`hint: ${hint}`);
    }
  }

  /** Prints lines for people who gave `-v`. */
  debug(text: string): void {
    if (this.#verbose) {
      for (const line of text.trimEnd().split('\n')) {
        this.#line(line);
      }
    }
  }

  /** Prints why something failed and what to do about it; logs and causes only for those who asked. */
  error(error: unknown, hints: readonly string[] = []): void {
    const known = error instanceof KscopeError;
    this.#line(known ? error.message : `unexpected failure: ${messageOf(error)}`);
    for (const line of known ? error.excerpt : []) {
      this.#raw(`  ${line}`);
    }
    for (const hint of [...(known ? error.hints : []), ...hints]) {
      this.#raw(`hint: ${hint}`);
    }
    if (!known && !this.#verbose) {
      this.#raw('hint: -v shows where it happened');
    }
    if (this.#verbose) {
      this.#details(error);
    }
  }

  #details(error: unknown): void {
    if (error instanceof KscopeError && error.log !== undefined) {
      this.#raw('log:');
      for (const line of error.log.split('\n')) {
        this.#raw(`  ${line}`);
      }
    }
    const seen = new Set<unknown>([error]);
    let cause = error instanceof Error ? error.cause : undefined;
    while (cause !== undefined && !seen.has(cause)) {
      seen.add(cause);
      this.#raw(`caused by: ${messageOf(cause)}`);
      cause = cause instanceof Error ? cause.cause : undefined;
    }
    if (error instanceof Error && error.stack !== undefined) {
      for (const line of error.stack.split('\n').filter((text) => /^ +at /.test(text))) {
        this.#raw(line);
      }
    }
  }

  #sayLost({ count, total, what, final }: LostMessage): void {
    if (final) {
      this.#line(`lost ${total} ${what} in all`);
      return;
    }
    this.#lost.set(what, (this.#lost.get(what) ?? 0) + count);
    const now = this.#now();
    if (now - this.#lostSaid >= 1000) {
      const parts = Array.from(this.#lost, ([name, lost]) => `${lost} ${name}`);
      this.#line(`lost ${parts.join(', ')}`);
      this.#lost.clear();
      this.#lostSaid = now;
    }
  }

  #line(text: string): void {
    this.#raw(`${this.#name}: ${text}`);
  }

  #raw(text: string): void {
    // Messages quote what users and the kernel gave them: one line each, and nothing that steers a terminal.
    this.#writer.write(`${escapeControls(text)}\n`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
