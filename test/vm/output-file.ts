import { type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** A file that the guest writes and we read: at its end, or as it grows when somebody listens. */
export class OutputFile {
  readonly #path: string;
  readonly #listener: ((chunk: Buffer) => void) | undefined;
  readonly #chunks: Buffer[] = [];
  #file: FileHandle | undefined;
  #watcher: FSWatcher | undefined;
  #reading: Promise<void> = Promise.resolve();

  constructor(path: string, listener?: (chunk: Buffer) => void) {
    this.#path = path;
    this.#listener = listener;
  }

  async create(): Promise<void> {
    this.#file = await open(this.#path, 'w+');
    if (this.#listener) this.#watcher = watch(this.#path, () => void this.#readMore());
  }

  /** Everything the guest wrote. Call when it has finished. */
  async finish(): Promise<string> {
    await this.#readMore();
    return Buffer.concat(this.#chunks).toString();
  }

  async close(): Promise<void> {
    this.#watcher?.close();
    await this.#reading;
    await this.#file?.close();
  }

  /** Reads behind what was read before. One read at a time, so that chunks keep their order. */
  #readMore(): Promise<void> {
    this.#reading = this.#reading.then(async () => {
      for (;;) {
        const buffer = Buffer.allocUnsafe(65536);
        const { bytesRead } = (await this.#file?.read(buffer)) ?? { bytesRead: 0 };
        if (bytesRead === 0) return;
        const chunk = buffer.subarray(0, bytesRead);
        this.#chunks.push(chunk);
        this.#listener?.(chunk);
      }
    });
    return this.#reading;
  }
}
