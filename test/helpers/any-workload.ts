import { spawn } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { mkdtemp, open, readdir, readFile, rename, rm, stat, symlink, unlink } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A little of everything that a tool may look at: files, processes, signals and connections. Leaves nothing behind. */
export async function anyWorkload(): Promise<void> {
  await Promise.all([useFiles(), runPrograms(), connectTcp(), lookup('localhost')]);
}

async function useFiles(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kscope-workload-'));
  try {
    const file = await open(join(folder, 'one'), 'w+', 0o640);
    await file.writeFile('x'.repeat(10_000));
    await file.sync();
    await file.truncate(100);
    await file.close();
    await rename(join(folder, 'one'), join(folder, 'two'));
    await symlink('two', join(folder, 'three'));
    await readFile(join(folder, 'three'));
    await stat(join(folder, 'two'));
    await readdir(folder);
    await unlink(join(folder, 'two'));
    await readFile(join(folder, 'missing')).catch(() => {});
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function runPrograms(): Promise<void> {
  const exits = spawn('/bin/sh', ['-c', 'exit 3'], { stdio: 'ignore' });
  const stopped = spawn('/bin/sh', ['-c', 'kill -TERM $$'], { stdio: 'ignore' });
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
