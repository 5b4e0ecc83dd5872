import { parseDnsAnswer } from './dns.ts';

const MOST = 10_000;

/** The last name that a name server gave each address for; those that were told longest ago are forgotten. */
export class HostNames {
  readonly #names = new Map<string, string>();

  /** @param answer a message of a name server, whatever it is */
  learn(answer: Uint8Array): void {
    const { name = '', addresses = [] } = parseDnsAnswer(answer) ?? {};
    for (const address of addresses) {
      this.#names.delete(address);
      this.#names.set(address, name);
    }
    for (const oldest of this.#names.keys()) {
      if (this.#names.size <= MOST) {
        break;
      }
      this.#names.delete(oldest);
    }
  }

  /** @param address as text. @returns undefined when nobody was told */
  nameOf(address: string): string | undefined {
    return this.#names.get(address);
  }
}
