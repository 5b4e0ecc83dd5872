import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { compileDecoder } from '../../lib/bpf/decoder.ts';
import { readObjectSpec } from '../../lib/bpf/object-spec.ts';
import { RingBuffer } from '../../lib/bpf/ring-buffer.ts';
import { jsonSchemaOf } from '../../lib/bpf/schema.ts';
import type { Message, Row } from '../../lib/model/message.ts';
import { JsonOutput } from '../../lib/output/json.ts';
import { TextOutput } from '../../lib/output/text.ts';
import { allColumns, fieldTypes } from '../../lib/shapes/columns.ts';
import { CollectingWriter } from '../helpers/collecting-writer.ts';
import { buildElf } from '../helpers/elf-builder.ts';
import { assertGolden } from '../helpers/golden.ts';
import { schemaProblems } from '../helpers/json-schema.ts';
import { RingFile } from '../helpers/ring-file.ts';

// Made by test/fixtures/replay/record.ts: the bytes of a ring as the kernel left them, and the BTF of the object.
const folder = fileURLToPath(new URL('../../../test/fixtures/replay/', import.meta.url));
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.ring'))
  .map((file) => file.slice(0, -'.ring'.length));

/** 2025-11-21T06:00:00Z, when the machine of the recordings started as far as these tests go. */
const boot = 1_763_704_800_000_000;

test('there are recordings', () => {
  assert.ok(names.length >= 3);
});

for (const name of names) {
  const types = readFileSync(`${folder}${name}.btf`);
  const recorded = readFileSync(`${folder}${name}.ring`);
  const schema = readObjectSpec(buildElf([{ name: '.BTF', bytes: types }]), name).records.get('events');
  assert.ok(schema !== undefined);

  /** Reads the recording out of a ring in which it begins at `start`. */
  function replay(start: number): Row[] {
    assert.ok(schema !== undefined);
    const size = 2 ** Math.ceil(Math.log2(Math.max(recorded.length, 4096)));
    using file = new RingFile(size, start);
    const decode = compileDecoder(schema, { bootToEpochMicros: boot });
    using ring = new RingBuffer(
      'events',
      file.fd,
      size,
      decode,
      () => {},
      () => 0,
    );
    file.addRaw(recorded);
    const rows = ring.drain();
    assert.equal(ring.pending, 0);
    return rows;
  }

  test(`${name}: what the kernel wrote becomes the same rows, text and JSON as ever`, () => {
    const rows = replay(0);
    const fields = fieldTypes(schema, {});
    const columns = allColumns(Object.fromEntries(Object.keys(fields).map((field) => [field, {}])), fields);
    const time = boot;
    const ready: Message = { type: 'ready', tool: name, activity: '', time, hooks: [], columns, types: fields };
    const json = new CollectingWriter();
    const text = new CollectingWriter();
    for (const output of [new JsonOutput(json, { utc: true }), new TextOutput(text, { time: 'rfc3339', utc: true })]) {
      void output.message(ready);
      void output.message({ type: 'events', rows });
    }
    const [, ...lines] = json.text.trimEnd().split('\n');
    for (const line of lines) {
      const { type, ...event } = JSON.parse(line);
      assert.equal(type, 'event');
      assert.deepEqual(schemaProblems(jsonSchemaOf(schema), event), []);
    }
    assertGolden(`replay/${name}.jsonl`, json.text);
    assertGolden(`replay/${name}.txt`, text.text);
  });

  test(`${name}: wherever in the ring the records are`, () => {
    const rows = replay(0);
    for (let start = 8; start < recorded.length; start += 64) {
      assert.deepEqual(replay(2 ** 20 - start), rows);
    }
  });

  test(`${name}: a record that is cut is refused, not read beyond its end`, () => {
    const decode = compileDecoder(schema, { bootToEpochMicros: boot });
    const length = recorded.readUInt32LE(0);
    const { fixedSize } = schema;
    for (let cut = 0; cut <= length; cut++) {
      // Nothing but the record: a read beyond its end finds no memory.
      const bytes = Buffer.from(recorded.subarray(8, 8 + cut));
      const memory = { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
      if (cut < fixedSize) {
        assert.throws(() => decode(memory, 0, cut), { code: 'failed' });
      } else {
        assert.equal(typeof decode(memory, 0, cut), 'object');
      }
    }
  });
}
