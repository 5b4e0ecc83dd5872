import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Answering } from '../helpers/answering.ts';
import { type JsonMessage, runTool } from '../helpers/run-tool.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

const collector = `
import gc, os
gc.disable()
gc.collect()
while True:
    byte = os.read(0, 1)
    if not byte: break
    if byte == b'g':
        garbage = [[] for i in range(7)]
        for one in garbage: one.append(one)
        garbage = one = None
    gc.collect(int(byte) if byte in b'012' else 2)
    os.write(1, byte)
`;

const python = '/usr/bin/python3.11';

test('collections of Python are rows, with generation and objects', {
  skip: !existsSync(python) && 'there is no Python 3.11',
}, async () => {
  await using program = new Answering(python, ['-Sc', collector]);
  // Its first collection is over.
  await program.ask('2');
  const pid = String(program.pid);
  const seen = await watch(
    'ugc',
    {
      all: ['--json', pid],
      filtered: ['--json', '-F', 'generation 1', pid],
      slow: ['--json', '-M', '60000', pid],
      text: ['-m', '-l', 'python', pid],
    },
    async () => {
      for (const byte of '0120g') {
        await program.ask(byte);
      }
    },
  );
  assert.deepEqual(
    seen.all.rows.map(({ description, pid: who }) => [description, who]),
    [0, 1, 2, 0]
      .map((generation) => [`generation ${generation}: 0 collected`, program.pid])
      .concat([['generation 2: 7 collected', program.pid]]),
  );
  assert.ok(seen.all.rows.every(({ latency }) => Number(latency) > 0 && Number(latency) < 30e9));
  assert.deepEqual(
    seen.filtered.rows.map(({ description }) => description),
    ['generation 1: 0 collected'],
  );
  assert.deepEqual(seen.slow.rows, []);
  assert.match(
    seen.text.stdout,
    /^TIME +PID +TIME\(ms\) DESCRIPTION\n(\S+ +\d+ +\d+\.\d\d generation [012]: [07] collected\n){5}$/,
  );
});

// Compiled from a loop of System.in.read(), System.gc() and System.out.write().
const javaClass =
  'yv66vgAAAD0ALAoAAgADBwAEDAAFAAYBABBqYXZhL2xhbmcvT2JqZWN0AQAGPGluaXQ+AQADKClWCQAIAAkHAAoMAAsADAEAEGphdmEvbGFuZy9TeXN0ZW0BAAJpbgEAFUxqYXZhL2lvL0lucHV0U3RyZWFtOwoADgAPBwAQDAARABIBABNqYXZhL2lvL0lucHV0U3RyZWFtAQAEcmVhZAEAAygpSQoACAAUDAAVAAYBAAJnYwkACAAXDAAYABkBAANvdXQBABVMamF2YS9pby9QcmludFN0cmVhbTsKABsAHAcAHQwAHgAfAQATamF2YS9pby9QcmludFN0cmVhbQEABXdyaXRlAQAEKEkpVgoAGwAhDAAiAAYBAAVmbHVzaAcAJAEAAUMBAARDb2RlAQAEbWFpbgEAFihbTGphdmEvbGFuZy9TdHJpbmc7KVYBAA1TdGFja01hcFRhYmxlAQAKRXhjZXB0aW9ucwcAKwEAE2phdmEvbGFuZy9FeGNlcHRpb24AIQAjAAIAAAAAAAIAAQAFAAYAAQAlAAAAEQABAAEAAAAFKrcAAbEAAAAAAAkAJgAnAAIAJQAAADgAAgACAAAAH7IAB7YADVk8mwAWuAATsgAWG7YAGrIAFrYAIKf/5bEAAAABACgAAAAHAAIA/AAdAQApAAAABAABACoAAA==';

const machines = '/usr/lib/jvm';
const java = (existsSync(machines) ? readdirSync(machines) : [])
  .map((name) => join(machines, name, 'bin/java'))
  .find((path) => existsSync(path));

test('collections of Java are rows, with those of its memory pools', {
  skip: java === undefined && 'there is no Java',
}, async () => {
  using place = new TemporaryDirectory();
  writeFileSync(join(place.path, 'C.class'), Buffer.from(javaClass, 'base64'));
  await using program = new Answering(java ?? '', ['-XX:+UseSerialGC', '-Xmx32m', '-cp', place.path, 'C']);
  await program.ask('.');
  const { all } = await watch('javagc', { all: ['--json', String(program.pid)] }, async () => {
    for (const byte of '123') {
      await program.ask(byte);
    }
  });
  const described = (rows: readonly JsonMessage[]) => rows.map(({ description }) => String(description));
  const whole = all.rows.filter(({ phase }) => phase === 'gc');
  assert.deepEqual(described(whole), ['full gc', 'full gc', 'full gc']);
  const old = all.rows.filter(({ pool }) => pool === 'Tenured Gen');
  assert.equal(old.length, 3);
  for (const [i, part] of old.entries()) {
    assert.match(String(part.description), /^MarkSweepCompact Tenured Gen: used \d+ -> [1-9]\d* of [1-9]\d* bytes$/);
    assert.ok(Number(part.latency) <= Number(whole[i]?.latency));
  }
});

test('a process without such probes is refused in a sentence', async () => {
  const [node, none, other, nodegc, nodestat] = await Promise.all([
    runTool('ugc', [String(process.pid)]),
    runTool('ugc', ['4194000']),
    runTool('rubygc', ['-p', String(process.pid)]),
    runTool('nodegc', [String(process.pid)]),
    runTool('nodestat', []),
  ]);
  const past = 'Node\\.js has none since version 19\n';
  assert.deepEqual([nodegc.code, nodestat.code], [3, 3]);
  assert.match(nodegc.stderr, new RegExp(`^nodegc: process \\d+ has no such probes of node: ${past}`));
  assert.match(nodestat.stderr, new RegExp(`^nodestat: no process has such probes of node: ${past}`));
  assert.equal(node.code, 3, node.stderr);
  assert.match(node.stderr, /^ugc: process \d+ has no such probes: Node\.js has none since version 19\n/);
  assert.equal(none.code, 2, none.stderr);
  assert.match(none.stderr, /^ugc: there is no process 4194000\n/);
  assert.equal(other.code, 3, other.stderr);
  assert.match(other.stderr, /has no such probes of ruby: it runs Node\.js\n/);
});
