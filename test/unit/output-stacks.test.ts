import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { stackType } from '../../lib/model/frames.ts';
import type { Frame, Message, StacksMessage } from '../../lib/model/message.ts';
import type { SemanticType } from '../../lib/model/types.ts';
import { renderFlameGraph } from '../../lib/output/flame-graph.ts';
import { JsonOutput } from '../../lib/output/json.ts';
import { ProfileFiles } from '../../lib/output/profile-files.ts';
import { renderSpeedscope } from '../../lib/output/speedscope.ts';
import { renderFolded, renderStacks } from '../../lib/output/stacks.ts';
import { TextOutput } from '../../lib/output/text.ts';
import { CollectingWriter } from '../helpers/collecting-writer.ts';
import { fakeTime, fakeTypes } from '../helpers/fake-tool.ts';
import { assertGolden } from '../helpers/golden.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

const frame = (symbol: string, address = 0x1000n): Frame => ({ address, symbol, offset: 4, module: '/bin/cat' });

const { comm, pid } = fakeTypes;
assert.ok(comm !== undefined && pid !== undefined);

/** Innermost frames first, as the kernel has them; names in keys are escaped where they are decoded. */
const message: StacksMessage = {
  type: 'stacks',
  time: fakeTime,
  types: { pid, comm },
  unit: 'samples',
  stacks: [
    { key: { pid: 3, comm: 'idle' }, user: 'none', kernel: 'none', weight: 1 },
    { key: { pid: 7, comm: 'cat' }, user: 'missed', kernel: [frame('read', 0xffffffff81000010n)], weight: 2 },
    { key: { pid: 7, comm: 'cat' }, user: [{ address: 0xdeadn }, frame('main')], kernel: 'none', weight: 3 },
    {
      key: { pid: 7, comm: 'cat' },
      user: [frame('inner', 0x1008n), frame('main')],
      kernel: [frame('read')],
      weight: 4,
    },
    {
      key: { pid: 7, comm: 'cat' },
      user: [frame('inner', 0x100an), frame('main')],
      kernel: [frame('read')],
      weight: 5,
    },
    {
      key: { pid: 8, comm: 'a;b\\n\\x1b[31m' },
      user: [frame('f<"&\'>;\u001b]0;x\u0007'), { address: 0x10n, module: '/tmp/]]>\u202e', offset: 16 }],
      kernel: 'missed',
      weight: 6,
    },
  ],
};

const style = { time: 'clock', utc: true } as const;

test('stacks are written from the innermost frame on, the heaviest last', () => {
  assertGolden('text/stacks.txt', renderStacks(message, style, false));
  assertGolden('text/stacks-delimited.txt', renderStacks(message, style, true));
  assert.match(renderStacks({ ...message, annotations: true }, style, false), /^ {4}read_\[k\]\n {4}inner\n/m);
  assert.match(
    renderStacks({ ...message, addresses: true }, style, false),
    /^ {4}0xdead\n {4}0x1000 main\n {4}- +cat \(7\)\n {8}3\n/m,
  );
  const offsets = { ...message, offsets: true };
  assert.match(renderStacks(offsets, style, false), /^ {4}read\+0x4\n {4}inner\+0x4\n {4}main\+0x4\n/m);
  assert.match(renderFolded(offsets), /^cat;main\+0x4;inner\+0x4;read\+0x4_\[k\] 9$/m);
});

test('folded stacks are lines of frames and a weight, whatever the names are', () => {
  const text = renderFolded(message);
  assertGolden('text/stacks-folded.txt', text);
  assert.equal(
    text.split('\n').reduce((sum, line) => sum + Number(/ (\d+)$/.exec(line)?.[1] ?? 0), 0),
    21,
  );
});

test('JSON has a line for each stack', async () => {
  const writer = new CollectingWriter();
  await new JsonOutput(writer, { utc: true }).message(message);
  assertGolden('json/stacks.jsonl', writer.text);
  assert.equal(
    writer.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)).length,
    message.stacks.length,
  );
});

test('a speedscope profile has the weights and the frames of all stacks', () => {
  const text = renderSpeedscope(message, 'name');
  assertGolden('json/speedscope.json', `${JSON.stringify(JSON.parse(text), null, 2)}\n`);
  const { shared, profiles } = JSON.parse(text);
  assert.equal(profiles[0].endValue, 21);
  assert.ok(profiles[0].samples.flat().every((index: number) => shared.frames[index] !== undefined));
});

test('a flame graph is as wide as the weights, and nothing in a name gets out of its place', () => {
  const svg = renderFlameGraph(message, 'a <title> & more');
  assertGolden('text/flame-graph.svg', svg);
  const frames = [...svg.matchAll(/data-x="([\d.]+)" data-w="([\d.]+)" data-n="([^"]*)"/g)];
  const widthOf = (name: string) =>
    frames.filter(([, , , n]) => n === name).reduce((sum, [, , w]) => sum + Number(w), 0);
  const whole = widthOf('all');
  assert.equal(whole, 1180);
  assert.ok(Math.abs(widthOf('inner') - (whole * 9) / 21) < 0.05);
  assert.ok(Math.abs(widthOf('cat') - (whole * 14) / 21) < 0.05);
  const [before = ''] = svg.split('<script>');
  for (const raw of ['\u001b', '\u0007', '\u202e', ']]>', 'f<']) {
    assert.ok(!before.includes(raw), JSON.stringify(raw));
  }
  assert.equal(svg.split(']]>').length, 2, 'only the end of the script');
});

test('what a stack is about comes behind its innermost frame', () => {
  const target = { pid: 7, comm: 'cat', target: 'dog' };
  const about: StacksMessage = {
    ...message,
    types: { pid, comm, target: comm },
    tip: 'target',
    stacks: [{ key: target, user: 'none', kernel: [frame('inner'), frame('outer')], weight: 5 }],
  };
  assert.equal(renderFolded(about), 'cat;outer_[k];inner_[k];dog 5\n');
  assert.match(renderStacks(about, style, false), /^ {4}target: dog\n {4}inner\n {4}outer\n {4}- +cat \(7\)\n {8}5\n/);
  assert.match(renderFlameGraph(about, 'about'), /data-n="dog"/);
  assert.match(renderSpeedscope(about, 'about'), /"name":"dog"/);
});

test('an empty run makes a flame graph and a profile too', () => {
  const none: StacksMessage = { ...message, stacks: [] };
  assert.match(renderFlameGraph(none, 'none'), /data-n="all"/);
  assert.equal(JSON.parse(renderSpeedscope(none, 'none')).profiles[0].endValue, 0);
  assert.equal(renderFolded(none), '');
  assert.equal(renderStacks(none, style, false), '');
});

test('files are written besides the output, or the error says which', async () => {
  using place = new TemporaryDirectory();
  const flame = join(place.path, 'flame.svg');
  const seen: string[] = [];
  const output = {
    message: async ({ type }: { type: string }) => {
      seen.push(type);
    },
  };
  await new ProfileFiles(output, { title: 'one', flame }).message(message);
  assert.equal(readFileSync(flame, 'utf8'), renderFlameGraph(message, 'one'));
  assert.deepEqual(seen, ['stacks']);
  const wrong = join(place.path, 'missing', 'flame.svg');
  assert.throws(() => new ProfileFiles(output, { title: 'one', flame: wrong }).message(message), /missing\/flame\.svg/);
});

test('stacks of events are below their line in text, and frames or null in JSON', async () => {
  const types = { pid, callers: stackType('user') as SemanticType, kernel: stackType('kernel') as SemanticType };
  const messages: Message[] = [
    {
      type: 'ready',
      tool: 'fake',
      activity: 'Tracing',
      time: fakeTime,
      hooks: [],
      columns: [{ name: 'pid', header: 'PID', width: 3, align: 'right', type: pid }],
      types,
      stacks: { kernel: 'kernel', user: 'callers' },
    },
    {
      type: 'events',
      rows: [
        { pid: 1, callers: [frame('in;ner\n'), frame('outer')], kernel: [frame('read')] },
        { pid: 2, callers: 'missed', kernel: undefined },
      ],
    },
  ];
  const text = new CollectingWriter();
  const json = new CollectingWriter();
  const outputs = [new TextOutput(text, style), new JsonOutput(json, { utc: true })];
  for (const message of messages) {
    for (const output of outputs) {
      await output.message(message);
    }
  }
  assert.equal(text.text, 'PID\n  1\n    read\n    in;ner\\n\n    outer\n  2\n    [missed user stack]\n');
  const [, first, second] = json.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    first.callers.map(({ symbol }: Frame) => symbol),
    ['in;ner\\n', 'outer'],
  );
  assert.deepEqual(second, { type: 'event', pid: 2, callers: null });
});
