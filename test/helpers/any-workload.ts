import { spawn } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { copyFile, mkdtemp, open, readdir, readFile, rename, rm, stat, symlink, unlink } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Turns text red, sets the title of a terminal, goes back a line, reorders, and breaks the line in several ways. */
const hostile = '\u001b[31m\u001b]0;x\u0007\r\u202e\u2028\u0085\n';

/**
 * A little of everything that a tool may look at: files, processes, signals and connections, under names that do
 * harm to a terminal. Leaves nothing behind.
 */
export async function anyWorkload(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kscope-workload-'));
  try {
    await Promise.all([touchFiles(folder), runPrograms(folder), connectTcp(), lookup('localhost')]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function touchFiles(folder: string): Promise<void> {
  const [one, two, three] = [1, 2, 3].map((number) => join(folder, `${number}${hostile}`)) as [string, string, string];
  const file = await open(one, 'w+', 0o640);
  await file.writeFile('x'.repeat(10_000));
  await file.sync();
  await file.truncate(100);
  await file.close();
  await rename(one, two);
  await symlink(two, three);
  await readFile(three);
  await stat(two);
  await readdir(folder);
  await unlink(two);
  await readFile(two).catch(() => {});
}

async function runPrograms(folder: string): Promise<void> {
  const named = join(folder, `s${hostile}`);
  await copyFile('/bin/sh', named);
  const exits = spawn(named, ['-c', 'exit 3', hostile], { stdio: 'ignore' });
  const stopped = spawn('/bin/sh', ['-c', 'kill -TERM $$', hostile], { stdio: 'ignore' });
  await Promise.all([once(exits, 'exit'), once(stopped, 'exit')]);
}

async function connectTcp(): Promise<void> {
  const server = createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.resume();
  await once(client, 'close');
  server.close();
  await once(server, 'close');
}
