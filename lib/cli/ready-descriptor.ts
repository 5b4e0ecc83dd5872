import { closeSync, fstatSync, readdirSync, readFileSync, readlinkSync, writeSync } from 'node:fs';
import { KscopeError, reasonOf } from '../model/errors.ts';

const accessMode = 0o3;

/**
 * A descriptor that whoever started the command gave it, to be told there when everything is attached: one line
 * 'ready', then the end of file, which is all that there is when the start fails.
 */
export class ReadyDescriptor {
  readonly #fd: number;
  #open = true;

  /** @throws KscopeError usage, if nobody gave this descriptor, or not for writing */
  constructor(fd: number) {
    const problem = problemOf(fd);
    if (problem !== undefined) {
      throw new KscopeError('usage', `descriptor ${fd} of --ready-fd ${problem}`, {
        hint: `open it for the command: ${fd}>FILE, or a pipe`,
      });
    }
    this.#fd = fd;
  }

  /** Says that everything is attached. Nothing is wrong with somebody who no longer wants to know. */
  tell(): void {
    if (this.#open) {
      this.#open = false;
      try {
        writeSync(this.#fd, 'ready\n');
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== 'EPIPE') {
          throw new KscopeError('failed', `cannot write to descriptor ${this.#fd}: ${reasonOf(cause)}`, {
            cause,
          });
        }
      } finally {
        closeSync(this.#fd);
      }
    }
  }
}

/** Node has descriptors of its own; writing to one of those, or closing it, would break it. */
function problemOf(fd: number): string | undefined {
  let target: string;
  let flags: number;
  try {
    fstatSync(fd);
    target = readlinkSync(`/proc/self/fd/${fd}`);
    flags = Number.parseInt(/^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '', 8);
  } catch {
    return 'is not open';
  }
  if (target.startsWith('anon_inode:') || (target.startsWith('pipe:') && descriptorsOf(target) > 1)) {
    return 'is not open';
  }
  return (flags & accessMode) === 0 ? 'is not open for writing' : undefined;
}

/** Both ends of a pipe of Node are here; of one that was given, the other end is with the giver. */
function descriptorsOf(target: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => linkOf(fd) === target).length;
}

function linkOf(fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    // The one that read the folder is closed by now.
    return undefined;
  }
}
