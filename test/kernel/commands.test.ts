import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { objectSpec } from '../../lib/bpf/object-file.ts';
import type { JsonSchema } from '../../lib/model/json.ts';
import { lineSchema } from '../../lib/output/line-schema.ts';
import type { Tool } from '../../lib/shapes/definition.ts';
import { anyWorkload } from '../helpers/any-workload.ts';
import { heldBy, leftOf } from '../helpers/bpf-ids.ts';
import { withinSeconds } from '../helpers/deadline.ts';
import { schemaProblems } from '../helpers/json-schema.ts';
import {
  built,
  type JsonMessage,
  runTool,
  startCommand,
  startTool,
  type ToolResult,
  toolCommand,
} from '../helpers/run-tool.ts';
import { aliases, missingFor, type Subject, smoke, subjects } from '../helpers/subjects.ts';

/** What a tool may say besides, and what one says that was asked for statistics. */
const harmless = /^(\S+: warning|hint): |^\S+: (after \d|(program|map|ring) \S+.*: \d)/;

/** Of which a tool was tried: that each starts as a command, and ends well, its own test shows. */
const tried = new Set<string>();

test('every tool and every alias is a command, and nothing else is', () => {
  const commands = readdirSync(`${built}commands/bin`).sort();
  assert.deepEqual(commands, ['kscope', ...[...subjects, ...aliases].map(({ name }) => name)].sort());
});

for (const subject of smoke ? [] : subjects) {
  const { shape } = subject.tool;
  if ((shape !== 'custom' && tried.has(shape)) || missingFor(subject) !== undefined) {
    continue;
  }
  tried.add(shape);
  test(subject.name, async (t) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      await t.test(`traces, ends on ${signal}, and leaves nothing`, () => traces(subject, signal));
    }
    await t.test('traces beside another, and prints text for people', () => tracesBeside(subject));
    await t.test('ends after --duration', () => endsInTime(subject));
    await t.test('ends when its reader has gone', () => endsWithReader(subject));
    await t.test('leaves nothing when it is killed', () => dies(subject));
  });
}

async function traces({ name, tool, usual }: Subject, signal: 'SIGINT' | 'SIGTERM'): Promise<void> {
  await using running = startTool(name, [...usual, '--json', '--stats']);
  await running.ready();
  // Who only says what there is has ended by now.
  const held = loads(tool) ? [...heldBy(running.pid)] : [];
  assert.ok(!loads(tool) || held.some((id) => id.startsWith('prog ')));
  await anyWorkload();
  const result = await running.end(signal);
  assertGoodEnd(name, result);
  assert.deepEqual(await leftOf(held), []);
  assert.equal(result.messages[0]?.type, 'ready');
  assertFits(lineSchema(tool.schema()), result.messages);
  if (loads(tool)) {
    const last = result.messages.at(-1);
    assert.equal(last?.type, 'stats');
    assert.ok(Array.isArray(last.programs) && last.programs.length > 0);
  }
}

async function tracesBeside({ name, usual }: Subject): Promise<void> {
  await using text = startTool(name, usual);
  await using json = startTool(name, [...usual, '--json']);
  await Promise.all([text.ready(), json.ready()]);
  await anyWorkload();
  const results = await Promise.all([text.end('SIGINT'), json.end('SIGTERM')]);
  for (const result of results) {
    assertGoodEnd(name, result);
  }
  // Lines of text, and nothing that was said to people.
  const [{ stdout, stderr }] = results;
  assert.doesNotMatch(stdout.replaceAll('\n', ''), /\p{Cc}/u);
  assert.ok(!stdout.split('\n').includes(stderr.split('\n')[0] ?? ''));
}

/** Whether something runs in the kernel: some tools only say what there is. */
function loads({ skeleton }: { readonly skeleton: Tool['skeleton'] }): boolean {
  return objectSpec(skeleton).programs.length > 0;
}

async function endsInTime({ name, tool: definition, usual }: Subject): Promise<void> {
  if (!loads(definition)) {
    return assertGoodEnd(name, await runTool(name, usual));
  }
  await using tool = startTool(name, [...usual, '--duration', '0.2']);
  await tool.ready();
  const ready = performance.now();
  assertGoodEnd(name, await tool.ended());
  // The clock of the tool ran a moment before its line arrived here.
  assert.ok(performance.now() - ready > 100);
}

async function endsWithReader({ name, tool, usual }: Subject): Promise<void> {
  const interval = usual.length === 0 && tool.positionals[0]?.key === 'interval' ? ['0.1'] : [];
  const args = [...usual, ...interval, '--json'];
  const script = 'pipe=$(mktemp -u); mkfifo "$pipe"; { head -n 1 <"$pipe"; echo gone >&2; } & exec "$@" >"$pipe"';
  await using piped = startCommand(['sh', '-c', script, 'sh', ...toolCommand(name, args)], { json: true });
  await using observer = startTool(name, args);
  await Promise.all([piped.ready(), observer.ready()]);
  await piped.until(({ stderr }) => stderr.includes('gone'), 'the end of the reader');
  const before = observer.messages.length;
  await anyWorkload();
  // What the one has seen the other has seen too, and has found out that nobody listens. The first output of an
  // interval may be of what was before, and so may the only one of a run.
  const seen = (await observer.end()).messages.slice(before).filter(({ type }) => !['lost', 'warning'].includes(type));
  const prints = interval.length > 0 ? seen.length > 1 : seen.some(({ type }) => type === 'event');
  const result = await (prints ? piped.ended(withinSeconds(5)) : piped.end());
  assertGoodEnd(name, result);
  assert.deepEqual(
    result.messages.map(({ type }) => type),
    ['ready'],
  );
}

async function dies({ name, usual }: Subject): Promise<void> {
  await using tool = startTool(name, usual);
  await tool.ready();
  const held = heldBy(tool.pid);
  assert.equal((await tool.end('SIGKILL')).signal, 'SIGKILL');
  assert.deepEqual(await leftOf(held), []);
}

function assertGoodEnd(name: string, { code, signal, stderr }: ToolResult): void {
  assert.deepEqual({ code, signal }, { code: 0, signal: null }, stderr);
  const lines = stderr.trimEnd().split('\n');
  assert.match(lines.find((line) => line !== 'gone') ?? '', /^[A-Z].*\.\.\. Hit Ctrl-C to end\.$/);
  // Nothing else but what a busy machine takes from the data.
  const others = lines.filter((line) => !line.endsWith('Ctrl-C to end.') && line !== 'gone');
  assert.deepEqual(
    others.filter((line) => !line.startsWith(`${name}: lost `) && !harmless.test(line)),
    [],
  );
}

function assertFits(schema: JsonSchema, messages: readonly JsonMessage[]): void {
  for (const message of messages) {
    assert.deepEqual(schemaProblems(schema, message), []);
  }
}
