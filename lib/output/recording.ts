import { closeSync, openSync } from 'node:fs';
import { KscopeError, reasonOf } from '../model/errors.ts';
import type { Message } from '../model/message.ts';
import { JsonOutput } from './json.ts';
import type { Output } from './output.ts';
import { Writer } from './writer.ts';

/** Writes what a tool says to a file, to be played later, besides what another output does with it. */
export class Recording implements Output {
  readonly #output: Output;
  readonly #file: string;
  readonly #fd: number;
  readonly #writer: Writer;
  readonly #json: JsonOutput;

  /**
   * @param values the option values of the run
   * @throws KscopeError failed when the file cannot be written
   */
  constructor(output: Output, file: string, values: Readonly<Record<string, unknown>>) {
    this.#output = output;
    this.#file = file;
    try {
      this.#fd = openSync(file, 'w', 0o644);
    } catch (cause) {
      throw new KscopeError('failed', `cannot write ${file}: ${reasonOf(cause)}`, { cause });
    }
    this.#writer = new Writer(this.#fd);
    this.#json = new JsonOutput(this.#writer, { utc: true, recorded: values });
  }

  /** @throws KscopeError failed when the file could not be written */
  message(message: Message): Promise<void> | undefined {
    this.#check();
    const recorded = this.#json.message(message);
    const shown = this.#output.message(message);
    return recorded === undefined ? shown : Promise.all([recorded, shown]).then(() => {});
  }

  async rendered(): Promise<void> {
    await this.#output.rendered?.();
    await this.#writer.flush();
    this.#check();
  }

  async close(): Promise<void> {
    await this.#output.close?.();
    await this.#writer.flush();
    closeSync(this.#fd);
  }

  #check(): void {
    const { failure } = this.#writer;
    if (failure !== undefined) {
      throw new KscopeError('failed', `cannot write ${this.#file}: ${reasonOf(failure.cause ?? failure)}`, {
        cause: failure,
      });
    }
  }
}
