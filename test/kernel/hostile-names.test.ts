import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { unescapeText } from '../../lib/model/escape.ts';
import { type JsonMessage, startTool } from '../helpers/run-tool.ts';

/** Every byte that a name may have, and none but those: NUL ends it, and a slash parts the names of a path. */
const everyByte = Buffer.from(Array.from({ length: 255 }, (_, i) => i + 1).filter((byte) => byte !== 0x2f));

/** In pieces of up to `size` bytes. */
function pieces(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

const texts = [
  ...['\u001b[2J\u001b[31m', '\u009b31m', '\u202egpj.exe', '\u2066\u2069', '\u2028\u2029', '\ufeff', '\u200e\u200f'],
  ...['\r\n', '\\x41 \\n \\', 'плюс', '名前', '👩‍👩‍👧', 'a\u0301', '\ud7ff\ue000\uffff'],
].map((text) => Buffer.from(text));
const broken = [
  Buffer.from([0xc0, 0xaf]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xf4, 0x90, 0x80, 0x80]),
  Buffer.from([0xf0, 0x9f, 0x91]),
];

/** Nothing of what was printed may steer a terminal, be no text, or look like a line of its own. */
function assertHarmless(printed: string, lines: number): void {
  assert.equal(printed.match(/\n/g)?.length ?? 0, lines);
  assert.doesNotMatch(
    printed.replaceAll('\n', ''),
    /[\p{Cc}\p{Cs}\ufffd\ufeff\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u,
  );
}

function bytesOf(row: JsonMessage | undefined, field: string): Buffer {
  return Buffer.from(unescapeText(String(row?.[field])));
}

/** Opens a file that is not there, in this thread. */
function tryToOpen(path: Buffer): void {
  assert.throws(() => openSync(path, 'r'), { syscall: 'open' });
}

/** Runs `action` while opensnoop watches this process, once for text and once for JSON. */
async function watchOpens(action: () => void): Promise<{ rows: readonly JsonMessage[]; text: string; json: string }> {
  const only = ['-p', String(process.pid), '-t', String(process.pid)];
  await using json = startTool('opensnoop', [...only, '--json']);
  await using text = startTool('opensnoop', only);
  await Promise.all([json.ready(), text.ready()]);
  action();
  const [asJson, asText] = await Promise.all([json.end(), text.end()]);
  return { rows: asJson.rows, text: asText.stdout, json: asJson.stdout };
}

test('file names of every byte, of hostile and of broken text', async () => {
  const names = [everyByte, ...Array.from(everyByte, (byte) => Buffer.from([byte])), ...texts, ...broken];
  const paths = names.map((name) => Buffer.concat([Buffer.from('/nonexistent/'), name]));
  const { rows, text, json } = await watchOpens(() => paths.forEach(tryToOpen));
  assert.equal(rows.length, paths.length);
  for (const [i, path] of paths.entries()) {
    assert.deepEqual(bytesOf(rows[i], 'path'), path);
    assert.equal(rows[i]?.truncated, undefined);
  }
  assertHarmless(text, paths.length + 1);
  assertHarmless(json, paths.length + 1);
});

test('paths as long as they can be, and longer', async () => {
  const longest = Buffer.alloc(4095, `/${'n'.repeat(254)}`);
  const worst = Buffer.alloc(4095, Buffer.concat([Buffer.from('/'), everyByte]));
  const tooLong = Buffer.alloc(4096, '/n');
  const { rows, text } = await watchOpens(() => [longest, worst, tooLong].forEach(tryToOpen));
  assert.deepEqual(
    rows.map(({ error, truncated }) => [error, truncated]),
    [
      [2, undefined],
      [2, undefined],
      // ENAMETOOLONG
      [36, true],
    ],
  );
  assert.deepEqual(bytesOf(rows[0], 'path'), longest);
  assert.deepEqual(bytesOf(rows[1], 'path'), worst);
  assert.deepEqual(bytesOf(rows[2], 'path'), tooLong.subarray(0, 4095));
  assertHarmless(text, 4);
  assert.match(text, /\/n\/\.\.\.\n$/);
});

test('command names of every byte, of hostile and of broken text', async () => {
  const before = readFileSync('/proc/self/comm', 'utf8').trimEnd();
  // The kernel keeps 15 bytes.
  const names = [...pieces(everyByte, 15), ...pieces(Buffer.from('/a/'), 15), ...texts, ...broken].map((name) =>
    name.subarray(0, 15),
  );
  const marked = (i: number) => Buffer.from(`/nonexistent/${i}`);
  let result: Awaited<ReturnType<typeof watchOpens>>;
  try {
    result = await watchOpens(() => {
      for (const [i, name] of names.entries()) {
        writeFileSync('/proc/self/comm', name);
        tryToOpen(marked(i));
      }
    });
  } finally {
    writeFileSync('/proc/self/comm', before);
  }
  const rows = result.rows.filter(({ path }) => String(path).startsWith('/nonexistent/'));
  assert.equal(rows.length, names.length);
  for (const [i, name] of names.entries()) {
    assert.deepEqual(bytesOf(rows[i], 'path'), marked(i));
    assert.deepEqual(bytesOf(rows[i], 'comm'), name);
  }
  assertHarmless(result.text, result.rows.length + 1);
  assertHarmless(result.json, result.rows.length + 1);
});

test('a name that is filtered by is given as it is printed', async () => {
  const before = readFileSync('/proc/self/comm', 'utf8').trimEnd();
  const name = Buffer.from('a\u001b\n\\é\u00ff', 'latin1');
  await using plain = startTool('opensnoop', ['--json', '-p', String(process.pid), '-n', 'a\\x1b\\n\\\\']);
  await plain.ready();
  try {
    tryToOpen(Buffer.from('/nonexistent/before'));
    writeFileSync('/proc/self/comm', name);
    tryToOpen(Buffer.from('/nonexistent/renamed'));
  } finally {
    writeFileSync('/proc/self/comm', before);
  }
  tryToOpen(Buffer.from('/nonexistent/after'));
  const { rows } = await plain.end();
  assert.ok(rows.every((row) => bytesOf(row, 'comm').equals(name)));
  assert.ok(rows.some(({ path }) => path === '/nonexistent/renamed'));
});

test('arguments of every byte, of hostile and of broken text', async () => {
  const words = [...pieces(Buffer.concat([everyByte, Buffer.from('/')]), 60), ...texts, ...broken, Buffer.alloc(0)];
  // No byte is lost: the mark keeps the shell from cutting line ends, and is cut itself.
  const quoted = words.map((word) => `"$(printf '${octal(word)}:')"`);
  const script = `cut() { for word; do shift; set -- "$@" "\${word%:}"; done; exec /bin/true "$@"; }; cut ${quoted.join(' ')}`;
  await using json = startTool('execsnoop', ['--json', '-P', String(process.pid)]);
  await using text = startTool('execsnoop', ['-P', String(process.pid)]);
  await Promise.all([json.ready(), text.ready()]);
  const child = spawn('/bin/sh', ['-c', script], { stdio: 'inherit', env: { LC_ALL: 'C' } });
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  const { rows } = await json.end();
  const { stdout } = await text.end();
  const args = rows.find(({ comm }) => comm === 'true')?.args;
  assert.ok(Array.isArray(args));
  assert.deepEqual(
    args.map((arg) => Buffer.from(unescapeText(arg)).toString('hex')),
    [Buffer.from('/bin/true'), ...words].map((word) => word.toString('hex')),
  );
  assertHarmless(stdout, rows.length + 1);
});

function octal(bytes: Buffer): string {
  return Array.from(bytes, (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}
