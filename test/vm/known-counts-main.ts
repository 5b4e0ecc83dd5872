import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { parseArguments } from '../../lib/cli/command.ts';
import { Registry } from '../../lib/cli/registry.ts';
import type { Message, Row } from '../../lib/model/message.ts';

// Tools in this very process, where Node takes seconds to start: known work, and what they saw of it, as JSON.

const registry = new Registry();

/** Does the work while the tool traces, in other processes: this one is not seen. */
async function trace(name: string, args: readonly string[], work: () => Promise<unknown>): Promise<Message[]> {
  const parsed = parseArguments(name, await registry.load(name), args);
  if (parsed.kind !== 'run') {
    throw new Error(`${name} ${args.join(' ')} does not run`);
  }
  const end = new AbortController();
  const messages: Message[] = [];
  let working: Promise<void> | undefined;
  for await (const message of (await registry.load(name)).run({ values: parsed.values, signal: end.signal })) {
    messages.push(message);
    working ??= work().then(() => end.abort());
  }
  await working;
  return messages;
}

function rowsOf(messages: readonly Message[]): Row[] {
  return messages.flatMap((message) => (message.type === 'events' || message.type === 'table' ? message.rows : []));
}

async function shell(script: string, ...args: readonly string[]): Promise<void> {
  await once(spawn('/bin/bash', ['-c', script, 'bash', ...args], { stdio: 'ignore' }), 'exit');
}

async function opens(): Promise<unknown> {
  const names = Array.from({ length: 23 }, (_, i) => `/nonexistent/kscope-${i}`);
  const rows = rowsOf(await trace('opensnoop', [], () => shell('cat "$@"', ...names)));
  const own = rows.filter(({ path }) => String(path).startsWith('/nonexistent/kscope-'));
  return own.map(({ comm, path, error }) => [comm, path, error]);
}

async function execs(): Promise<unknown> {
  const rows = rowsOf(await trace('execsnoop', [], () => shell('for i in 1 2 3 4 5; do /bin/true "a b" $i; done')));
  return rows.filter(({ comm }) => comm === 'true').map(({ args }) => args);
}

async function connections(): Promise<unknown> {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const script = `for i in 1 2 3 4 5 6 7; do exec 3<>/dev/tcp/127.0.0.1/${port}; done`;
  const rows = rowsOf(await trace('tcpconnect', ['-P', String(port)], () => shell(script)));
  server.close();
  return rows.map(({ comm, daddr, dport }) => [comm, daddr, dport === port]);
}

async function calls(): Promise<unknown> {
  const script = 'for i in {1..100}; do umask 022; done';
  const rows = rowsOf(await trace('syscount', ['-c', String(process.pid)], () => shell(script)));
  return rows.filter(({ syscall }) => syscall === 'umask').map(({ count }) => count);
}

/** Of a process that does nothing but to compute. */
async function samples(): Promise<unknown> {
  const busy = spawn('/bin/bash', ['-c', 'while :; do :; done'], { stdio: 'ignore' });
  try {
    const work = () => new Promise((resolve) => setTimeout(resolve, 500));
    const messages = await trace('profile', ['-p', String(busy.pid), '-F', '99'], work);
    const stacks = messages.flatMap((message) => (message.type === 'stacks' ? message.stacks : []));
    return { some: stacks.length > 0, ofUser: stacks.some(({ user }) => (user?.length ?? 0) > 0) };
  } finally {
    busy.kill('SIGKILL');
  }
}

const seen = {
  ...{ machine: spawnSync('uname', ['-m'], { encoding: 'utf8' }).stdout.trim() },
  ...{ opens: await opens(), execs: await execs(), connections: await connections(), calls: await calls() },
  samples: await samples(),
};
process.stdout.write(`${JSON.stringify(seen)}\n`);
