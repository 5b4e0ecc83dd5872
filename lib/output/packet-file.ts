import { closeSync, openSync } from 'node:fs';
import { KscopeError, reasonOf } from '../model/errors.ts';
import type { Message, ReadyMessage } from '../model/message.ts';
import type { Output } from './output.ts';
import { Pcapng } from './pcapng.ts';
import { Writer } from './writer.ts';

/** Writes events that are packets, and nothing else, to a file or to standard output. */
export class PacketFile implements Output {
  readonly #file: string;
  readonly #fd: number | undefined;
  readonly #writer: Writer;
  readonly #format = new Pcapng();
  #packet: ReadyMessage['packet'];

  /**
   * @param stdout for a file named '-'
   * @param isTerminal whether standard output is one
   * @throws KscopeError usage for a terminal; failed when the file cannot be written
   */
  constructor(file: string, stdout: Writer, isTerminal: () => boolean) {
    this.#file = file;
    if (file === '-') {
      if (isTerminal()) {
        throw new KscopeError('usage', 'packets cannot be written to a terminal', {
          hint: 'give the name of a file, or a program that reads them: | tcpdump -r -',
        });
      }
      this.#writer = stdout;
      return;
    }
    try {
      this.#fd = openSync(file, 'w', 0o600);
    } catch (cause) {
      throw new KscopeError('failed', `cannot write ${file}: ${reasonOf(cause)}`, { cause });
    }
    this.#writer = new Writer(this.#fd);
  }

  /** @throws KscopeError failed when the file could not be written */
  message(message: Message): Promise<void> | undefined {
    this.#check();
    if (message.type === 'ready') {
      this.#packet = message.packet;
      return this.#writer.write(this.#format.header(`kscope ${message.tool}`));
    }
    const packet = this.#packet;
    if (message.type !== 'events' || packet === undefined) {
      return undefined;
    }
    return this.#writer.write(Buffer.concat(message.rows.map((row) => this.#format.packet(packet(row)))));
  }

  async rendered(): Promise<void> {
    if (this.#fd !== undefined) {
      await this.#writer.flush();
      this.#check();
    }
  }

  async close(): Promise<void> {
    if (this.#fd !== undefined) {
      await this.#writer.flush();
      closeSync(this.#fd);
    }
  }

  /** What became of standard output, others look at. */
  #check(): void {
    const { failure } = this.#writer;
    if (failure !== undefined && this.#fd !== undefined) {
      throw new KscopeError('failed', `cannot write ${this.#file}: ${reasonOf(failure.cause ?? failure)}`, {
        cause: failure,
      });
    }
  }
}
