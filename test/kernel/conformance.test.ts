import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { JsonSchema } from '../../lib/model/json.ts';
import type { Message, ReadyMessage, Row } from '../../lib/model/message.ts';
import { JsonOutput } from '../../lib/output/json.ts';
import { lineSchema } from '../../lib/output/line-schema.ts';
import { TextOutput } from '../../lib/output/text.ts';
import { anyWorkload } from '../helpers/any-workload.ts';
import { heldBy } from '../helpers/bpf-ids.ts';
import { CollectingWriter } from '../helpers/collecting-writer.ts';
import { inVirtualMachine } from '../helpers/deadline.ts';
import { schemaProblems } from '../helpers/json-schema.ts';
import { runTool } from '../helpers/run-tool.ts';
import { missingFor, type Subject, smoke, subjects, valuesOf } from '../helpers/subjects.ts';
import { hooksNote } from '../vm/table.ts';

/** What a tool told. */
interface Run {
  readonly ready: ReadyMessage;
  readonly data: readonly Message[];
}

/** Shapes whose `--fields` name columns of rows or members of lines. */
const tabular = ['snoop', 'top', 'histogram'];

// Once, for each has descriptors, and descriptors are counted here.
const jsonWriter = new CollectingWriter();
const textWriter = new CollectingWriter();

/** Of which a tool was tried in all that does not depend on the tool. */
const tried = new Set<string>();

for (const subject of subjects) {
  test(subject.name, async (t) => {
    const missing = missingFor(subject);
    if (missing !== undefined) {
      await saysSo(subject, missing);
      t.skip(missing);
      return;
    }
    const { shape } = subject.tool;
    const chooses = tabular.includes(shape) && !smoke && (!inVirtualMachine || !tried.has(shape));
    tried.add(shape);
    const fields = chooses ? fieldsOf(subject.tool.schema()).toReversed() : [];
    let chosen: Run | undefined;
    let usual: Run | undefined;
    await t.test('runs inside a program and leaves nothing there', async (inside) => {
      usual = await leavesNothing(subject, inside);
      if (!smoke) {
        await assertPrintsData(subject, usual);
      }
      chosen = chooses ? await runInside(subject, ['--fields', fields.join(',')]) : undefined;
    });
    if (chooses && chosen !== undefined && usual !== undefined) {
      const runs = { chosen, usual };
      await t.test('prints the fields that are chosen', () => printsFields(fields, runs));
    }
  });
}

/** A tool that this kernel lacks something for has to say so. */
async function saysSo({ name, tool, usual }: Subject, missing: string): Promise<void> {
  const { code, stdout, stderr } = await runTool(name, usual);
  assert.deepEqual([code, stdout], [3, '']);
  assert.equal(stderr.split('\n')[0], `${name}: this kernel lacks what ${tool.skeleton.name} needs: ${missing}`);
}

/** In the test's own process, where every descriptor and mapping can be counted. */
async function leavesNothing(subject: Subject, t: TestContext): Promise<Run> {
  const descriptors = openDescriptors();
  const run = await runInside(subject, [], anyWorkload);
  t.diagnostic(hooksNote(subject.name, run.ready.hooks));
  assert.equal(run.ready.fields, undefined);
  assert.deepEqual([...heldBy(process.pid)], []);
  const mapped = readFileSync('/proc/self/maps', 'utf8').split('\n');
  assert.deepEqual(
    mapped.filter((line) => line.includes('bpf-map')),
    [],
  );
  const left = openDescriptors();
  if (!smoke && left !== descriptors) {
    // The first time, Node and the libraries open what they keep; what is left each time is ours.
    await runInside(subject, [], anyWorkload);
    assert.equal(openDescriptors(), left, 'descriptors are left open');
  }
  return run;
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** Each of the fields in the given order, and each alone with the data of a run that had all. */
function printsFields(fields: readonly string[], { chosen, usual }: { chosen: Run; usual: Run }): void {
  assert.notEqual(fields.length, 0);
  const rows = usual.data.flatMap((message) =>
    message.type === 'events' || message.type === 'table' ? message.rows : [],
  );
  const said = [chosen.ready, ...chosen.data].flatMap((message) =>
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
      assertPrintsOnly(column.name, { ...chosen.ready, columns: [column], types: shown.types ?? {} }, rows);
    }
  }
}

/** Runs a tool in this process until `during` is over. */
async function runInside(subject: Subject, args: readonly string[], during?: () => Promise<void>): Promise<Run> {
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

/** Lines of text without anything that steers a terminal, and of JSON that fit the schema, under hostile names too. */
async function assertPrintsData({ tool }: Subject, { ready, data }: Run): Promise<void> {
  jsonWriter.text = '';
  textWriter.text = '';
  for (const output of [new JsonOutput(jsonWriter), new TextOutput(textWriter, { time: 'clock', utc: false })]) {
    for (const message of [ready, ...data]) {
      await output.message(message);
    }
  }
  assert.doesNotMatch(textWriter.text.replaceAll('\n', ''), /\p{Cc}/u);
  const schema = lineSchema(tool.schema());
  const [first, ...lines] = jsonWriter.text.trimEnd().split('\n');
  assert.equal(JSON.parse(first ?? '').type, 'ready');
  for (const line of lines) {
    assert.deepEqual(schemaProblems(schema, JSON.parse(line)), []);
  }
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
