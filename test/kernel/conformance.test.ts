import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { choosePrograms } from '../../lib/bpf/choose.ts';
import { canAttach } from '../../lib/bpf/hooks.ts';
import { BpfObject } from '../../lib/bpf/object.ts';
import { objectFile, objectSpec } from '../../lib/bpf/object-file.ts';
import { parseArguments } from '../../lib/cli/command.ts';
import { aliasesOf, Registry } from '../../lib/cli/registry.ts';
import type { JsonSchema } from '../../lib/model/json.ts';
import type { Message, ReadyMessage, Row } from '../../lib/model/message.ts';
import { JsonOutput } from '../../lib/output/json.ts';
import { lineSchema } from '../../lib/output/line-schema.ts';
import { TextOutput } from '../../lib/output/text.ts';
import type { Tool } from '../../lib/shapes/definition.ts';
import { anyWorkload } from '../helpers/any-workload.ts';
import { heldBy, leftOf } from '../helpers/bpf-ids.ts';
import { CollectingWriter } from '../helpers/collecting-writer.ts';
import { inVirtualMachine, withinSeconds } from '../helpers/deadline.ts';
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
import { unprivileged } from '../helpers/unprivileged.ts';
import { usualArguments } from '../helpers/usual-arguments.ts';
import { hooksNote } from '../vm/table.ts';

/** A command to look at: a tool under its own name or an alias. */
interface Subject {
  readonly name: string;
  readonly tool: Tool;
  /** What the alias puts in front. */
  readonly given: readonly string[];
  /** The arguments of the first example: how it is run here. */
  readonly usual: readonly string[];
}

/** Whether only that is tried which depends on the kernel: that every tool loads, attaches, ends and leaves nothing. */
const smoke = process.env.KSCOPE_VM_SCOPE === 'smoke';

/** What a tool may say besides, and what one says that was asked for statistics. */
const harmless = /^(\S+: warning|hint): |^\S+: (after \d|(program|map|ring) \S+.*: \d)/;

/** Shapes whose `--fields` name columns of rows or members of lines. */
const tabular = ['snoop', 'top', 'histogram'];

// Once, for each has descriptors, and descriptors are counted here.
const jsonWriter = new CollectingWriter();
const textWriter = new CollectingWriter();

const tools = await new Registry().loadAll();
/** Of which a tool was tried in all that does not depend on the tool. */
const tried = new Set<string>();
const subjects: readonly Subject[] = [
  ...Array.from(tools, ([name, tool]) => subject(name, tool, [])),
  ...Array.from(aliasesOf(tools), ([name, { tool, args }]) => subject(name, tools.get(tool) as Tool, args)),
];

function subject(name: string, tool: Tool, given: readonly string[]): Subject {
  // A list is over at once, unless it is to be made again.
  const usual = [...usualArguments(tool), ...(tool.shape === 'snapshot' ? ['0.1'] : [])];
  return { name, tool, given, usual };
}

test('every tool and every alias is a command, and nothing else is', () => {
  const commands = readdirSync(`${built}bin`).sort();
  assert.deepEqual(commands, ['kscope', ...subjects.map(({ name }) => name)].sort());
});

for (const subject of subjects) {
  test(subject.name, async (t) => {
    if (!inVirtualMachine) {
      await t.test('explains itself to anybody', () => explains(subject));
    }
    // Behind another name is the same tool.
    if (!tools.has(subject.name)) {
      return;
    }
    if (await isMissing(subject, t)) {
      return;
    }
    if (!smoke) {
      await t.test('traces, ends on SIGINT and SIGTERM, and leaves nothing', () => traces(subject));
    }
    const { shape } = subject.tool;
    const sample = !smoke && (shape === 'custom' || !tried.has(shape));
    tried.add(shape);
    let data: readonly Message[] = [];
    await t.test('runs inside a program and leaves nothing there', async (inside) => {
      data = await runsInside(subject, inside);
    });
    if ((!inVirtualMachine || sample) && tabular.includes(shape)) {
      await t.test('prints the fields that are chosen', () => printsFields(subject, data));
    }
    if (sample) {
      await t.test('ends after --duration', () => endsInTime(subject));
      await t.test('ends when its reader has gone', () => endsWithReader(subject));
      await t.test('leaves nothing when it is killed', () => dies(subject));
    }
  });
}

/** Whether this kernel lacks what the tool needs: then the tool has to say so. */
async function isMissing(subject: Subject, t: TestContext): Promise<boolean> {
  const { name, tool, usual } = subject;
  using object = BpfObject.open(objectFile(tool.skeleton));
  const { problem } = choosePrograms([...object.programs.values()], tool.rules(valuesOf(subject, [])), canAttach);
  if (problem === undefined) {
    return false;
  }
  const { code, stdout, stderr } = await runTool(name, usual);
  assert.deepEqual([code, stdout], [3, '']);
  assert.equal(stderr.split('\n')[0], `${name}: this kernel lacks what ${tool.skeleton.name} needs: ${problem}`);
  t.skip(problem);
  return true;
}

async function explains({ name, tool }: Subject): Promise<void> {
  const { code, stdout, stderr } = await runTool(name, ['--help'], unprivileged);
  assert.equal(stderr, '');
  assert.equal(code, 0);
  assert.match(stdout, new RegExp(`^Usage: ${name} `));
  assert.ok(stdout.replace(/\s+/g, ' ').includes(tool.summary));
}

async function traces({ name, tool, usual }: Subject): Promise<void> {
  // Two at once, so that each is also the other's neighbour.
  await using text = startTool(name, usual);
  await using json = startTool(name, [...usual, '--json', '--stats']);
  await Promise.all([text.ready(), json.ready()]);
  // Who only says what there is has ended by now.
  const held = loads(tool) ? [...heldBy(text.pid), ...heldBy(json.pid)] : [];
  assert.ok(!loads(tool) || held.some((id) => id.startsWith('prog ')));
  await anyWorkload();
  const [textResult, jsonResult] = await Promise.all([text.end('SIGINT'), json.end('SIGTERM')]);
  for (const result of [textResult, jsonResult]) {
    assertGoodEnd(name, result);
  }
  assert.deepEqual(await leftOf(held), []);
  // Lines of text, and nothing that was said to people.
  assert.doesNotMatch(textResult.stdout.replaceAll('\n', ''), /\p{Cc}/u);
  assert.ok(!textResult.stdout.split('\n').includes(textResult.stderr.split('\n')[0] ?? ''));
  assert.equal(jsonResult.messages[0]?.type, 'ready');
  assertFits(lineSchema(tool.schema()), jsonResult.messages);
  if (loads(tool)) {
    const last = jsonResult.messages.at(-1);
    assert.equal(last?.type, 'stats');
    assert.ok(Array.isArray(last.programs) && last.programs.length > 0);
  }
}

/** Whether something runs in the kernel: some tools only say what there is. */
function loads({ skeleton }: Subject['tool']): boolean {
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

/** In the test's own process, where every descriptor and mapping can be counted. */
async function runsInside(subject: Subject, t: TestContext): Promise<readonly Message[]> {
  // The first time, Node and the libraries open what they keep: no business of the kernel.
  if (!smoke) {
    await runInside(subject, []);
  }
  const descriptors = readdirSync('/proc/self/fd').length;
  const { ready, data } = await runInside(subject, [], anyWorkload);
  t.diagnostic(hooksNote(subject.name, ready.hooks));
  assert.equal(ready.fields, undefined);
  assert.deepEqual([...heldBy(process.pid)], []);
  const mapped = readFileSync('/proc/self/maps', 'utf8').split('\n');
  assert.deepEqual(
    mapped.filter((line) => line.includes('bpf-map')),
    [],
  );
  assert.ok(smoke || readdirSync('/proc/self/fd').length === descriptors);
  return data;
}

/** Each of the fields in the reverse order, and each alone with the data of a run that had all. */
async function printsFields(subject: Subject, data: readonly Message[]): Promise<void> {
  const fields = fieldsOf(subject.tool.schema()).toReversed();
  assert.notEqual(fields.length, 0);
  const rows = data.flatMap((message) => (message.type === 'events' || message.type === 'table' ? message.rows : []));
  const run = await runInside(subject, ['--fields', fields.join(',')]);
  const said = [run.ready, ...run.data].flatMap((message) =>
    'fields' in message && message.fields !== undefined ? [message] : [],
  );
  assert.notEqual(said.length, 0);
  for (const message of said) {
    assert.deepEqual(message.fields, fields);
  }
  // What prints no table, a distribution for one, has no columns to choose from.
  const [shown] = said.flatMap((message) =>
    message.type === 'histogram' || message.columns.length === 0 ? [] : [message],
  );
  if (shown !== undefined) {
    assert.deepEqual(
      shown.columns.map(({ name }) => name),
      fields,
    );
    for (const column of shown.columns) {
      assertPrintsOnly(column.name, { ...run.ready, columns: [column], types: shown.types ?? {} }, rows);
    }
  }
}

function valuesOf({ name, tool, given, usual }: Subject, args: readonly string[]): Readonly<Record<string, unknown>> {
  const parsed = parseArguments(name, tool, [...given, ...usual, ...args]);
  assert.equal(parsed.kind, 'run');
  return parsed.values;
}

/** Runs a tool in this process until `during` is over. */
async function runInside(subject: Subject, args: readonly string[], during?: () => Promise<void>) {
  const end = new AbortController();
  const messages: Message[] = [];
  let working: Promise<void> | undefined;
  for await (const message of subject.tool.run({ values: valuesOf(subject, args), signal: end.signal })) {
    messages.push(message);
    working ??= (async () => {
      await during?.();
      end.abort();
    })();
  }
  await working;
  const [ready, ...data] = messages;
  assert.ok(ready?.type === 'ready');
  return { ready, data };
}

/** Names of the fields of the data, of the first kind where there are several. */
function fieldsOf({ oneOf: [first] = [], ...schema }: JsonSchema): string[] {
  const data = first ?? schema;
  const properties = data.properties?.rows?.items?.properties ?? data.properties ?? {};
  return Object.keys(properties).filter((name) => name !== 'type');
}

/** A line with that one field for each row, in JSON and in text. */
function assertPrintsOnly(field: string, ready: ReadyMessage, rows: readonly Row[]): void {
  jsonWriter.text = '';
  textWriter.text = '';
  for (const output of [new JsonOutput(jsonWriter), new TextOutput(textWriter, { time: 'clock', utc: false })]) {
    void output.message({ ...ready, fields: [field] });
    void output.message({ type: 'events', rows });
  }
  const [, ...lines] = jsonWriter.text.trimEnd().split('\n');
  assert.equal(lines.length, rows.length);
  for (const [i, line] of lines.entries()) {
    const { type, ...rest } = JSON.parse(line);
    assert.equal(type, 'event');
    assert.deepEqual(Object.keys(rest), rows[i]?.[field] === undefined ? [] : [field]);
  }
  assert.equal(textWriter.text.trimEnd().split('\n').length, rows.length + 1);
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
