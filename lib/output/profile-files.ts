import { writeFileSync } from 'node:fs';
import { KscopeError, reasonOf } from '../model/errors.ts';
import type { Message } from '../model/message.ts';
import { renderFlameGraph } from './flame-graph.ts';
import type { Output } from './output.ts';
import { renderSpeedscope } from './speedscope.ts';

export interface ProfileFileNames {
  readonly title: string;
  readonly flame?: string;
  readonly speedscope?: string;
}

/** Writes stacks to files, besides what another output does with them. */
export class ProfileFiles implements Output {
  readonly #output: Output;
  readonly #names: ProfileFileNames;

  constructor(output: Output, names: ProfileFileNames) {
    this.#output = output;
    this.#names = names;
  }

  /** @throws KscopeError failed when a file cannot be written */
  message(message: Message): Promise<void> | undefined {
    if (message.type === 'stacks') {
      const { title, flame, speedscope } = this.#names;
      write(flame, () => renderFlameGraph(message, title));
      write(speedscope, () => renderSpeedscope(message, title));
    }
    return this.#output.message(message);
  }

  async rendered(): Promise<void> {
    await this.#output.rendered?.();
  }

  async close(): Promise<void> {
    await this.#output.close?.();
  }
}

function write(file: string | undefined, render: () => string): void {
  if (file !== undefined) {
    try {
      writeFileSync(file, render());
    } catch (cause) {
      throw new KscopeError('failed', `cannot write ${file}: ${reasonOf(cause)}`, { cause });
    }
  }
}
