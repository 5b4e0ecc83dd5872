import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { anotherUser } from './another-user.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

const versions = '/usr/lib/postgresql';

/** A PostgreSQL of one process that works on the queries that it is given, one a line, with a database of its own. */
export class Postgres implements AsyncDisposable {
  readonly pid: number;
  readonly #process: ChildProcess;
  readonly #place: TemporaryDirectory;
  #output = '';

  /** Skips the test where PostgreSQL is not installed. */
  static async start(t: TestContext): Promise<Postgres | undefined> {
    const [version] = existsSync(versions) ? readdirSync(versions) : [];
    if (version === undefined) {
      t.skip('PostgreSQL is not installed');
      return undefined;
    }
    const place = new TemporaryDirectory();
    // It refuses to run as root.
    const { uid } = anotherUser();
    chownSync(place.path, uid, uid);
    const data = join(place.path, 'data');
    const bin = join(versions, version, 'bin');
    const who = { uid, gid: uid, cwd: place.path };
    execFileSync(join(bin, 'initdb'), ['-D', data, '-A', 'trust', '-U', 'postgres', '--no-sync', '--no-instructions'], {
      ...who,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const server = new Postgres(
      spawn(join(bin, 'postgres'), ['--single', '-F', '-D', data, 'postgres'], {
        ...who,
        stdio: ['pipe', 'pipe', 'ignore'],
      }),
      place,
    );
    await server.query("select 'ready'");
    return server;
  }

  private constructor(process: ChildProcess, place: TemporaryDirectory) {
    this.#process = process;
    this.#place = place;
    this.pid = process.pid ?? 0;
    process.stdout?.on('data', (text) => {
      this.#output += text;
    });
  }

  /** Has it work on a query; one that fails is none to wait for. */
  async query(text: string): Promise<void> {
    this.#process.stdin?.write(`${text}\n`);
    const mark = `done ${Math.random()}`;
    this.#process.stdin?.write(`select '${mark}'\n`);
    while (!this.#output.includes(`"${mark}"`)) {
      await once(this.#process.stdout as NodeJS.ReadableStream, 'data');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.stdin?.end();
    await once(this.#process, 'exit');
    this.#place[Symbol.dispose]();
  }
}
