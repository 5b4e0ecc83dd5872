import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { type JsonMessage, runTool, startTool, type ToolResult } from '../helpers/run-tool.ts';

const ARRAY = 2;
const MAP_CREATE = 0;

function rowsOf({ messages }: ToolResult): JsonMessage[] {
  return messages.filter(({ type }) => type === 'table').flatMap(({ rows }) => rows as JsonMessage[]);
}

test('a map is listed with who holds it', async () => {
  await using actor = await Actor.start();
  const attributes = new Uint8Array(128);
  attributes.set(new Uint8Array(Uint32Array.of(ARRAY, 4, 12, 23).buffer));
  attributes.set(Buffer.from('known_map'), 28);
  await actor.mustCall('bpf', MAP_CREATE, attributes, attributes.length);
  const own = await runTool('bpflist', ['--json', '--pid', String(actor.pid)]);
  assert.equal(own.code, 0, own.stderr);
  assert.deepEqual(
    rowsOf(own).map(({ id, ...row }) => row),
    [
      {
        object: 'map',
        code: ARRAY,
        kind: 'array',
        name: 'known_map',
        size: 23,
        bytes: 16,
        holders: `node(${actor.pid})`,
      },
    ],
  );
  const id = rowsOf(own)[0]?.id;
  const maps = rowsOf(await runTool('bpflist', ['--json', '-m']));
  assert.ok(maps.some((row) => row.id === id) && maps.every(({ object }) => object === 'map'));
  assert.ok(!rowsOf(await runTool('bpflist', ['--json', '-p', '-l'])).some(({ object }) => object === 'map'));
  const { stdout } = await runTool('bpflist', ['--pid', String(actor.pid)]);
  assert.match(stdout, /^OBJECT +ID TYPE +NAME +SIZE HELD BY\nmap +\d+ array +known_map +23 node\(\d+\)\n$/);
});

test('the programs of a tool are listed, its own are not', async () => {
  await using tool = startTool('setuids', ['--json']);
  await tool.ready();
  const all = rowsOf(await runTool('bpflist', ['--json', '-p', '-l', '--pid', String(tool.pid)]));
  const programs = all.filter(({ object }) => object === 'prog');
  assert.deepEqual(programs.map(({ name }) => name).sort(), [
    'setfsgid__tp',
    'setfsuid__tp',
    'setgid__tp',
    'setregid__tp',
    'setresgid__tp',
    'setresuid__tp',
    'setreuid__tp',
    'setuid__tp',
  ]);
  const ids = new Set(programs.map(({ id }) => id));
  assert.ok(all.every(({ object, size }) => object === 'prog' || ids.has(size)));
});
