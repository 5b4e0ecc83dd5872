import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { pointerTo } from '../helpers/native-arguments.ts';
import { runTool } from '../helpers/run-tool.ts';
import { mustSyscall } from '../helpers/syscall.ts';
import { watch } from '../helpers/watch.ts';

const O_RDWR_NOCTTY = 0o402;
const TIOCSPTLCK = 0x40045431;
const TIOCGPTN = 0x80045430;

test('what is written to a terminal is shown, and only that', async (t) => {
  if (!existsSync('/dev/ptmx') || !existsSync('/dev/pts/ptmx')) {
    t.skip('there are no pseudo terminals');
    return;
  }
  const master = openSync('/dev/ptmx', O_RDWR_NOCTTY);
  const number = new Uint8Array(4);
  mustSyscall('ioctl', master, TIOCSPTLCK, new Uint8Array(4));
  mustSyscall('ioctl', master, TIOCGPTN, number);
  const name = String(new Uint32Array(number.buffer)[0]);
  const fd = openSync(`/dev/pts/${name}`, O_RDWR_NOCTTY);
  const write = (to: number, text: string) => mustSyscall('write', to, Buffer.from(text), text.length);
  const pieces = ['one ', '', 'two\n'].map((text) => Buffer.from(text));
  const vector = new Uint8Array(
    BigUint64Array.from(pieces.flatMap((piece) => [piece.length === 0 ? 0n : pointerTo(piece), BigInt(piece.length)]))
      .buffer,
  );
  const own = ['-p', String(process.pid)];
  const seen = await watch(
    'ttysnoop',
    {
      number: ['--json', name],
      path: ['--json', `/dev/pts/${name}`],
      all: ['--json', ...own],
      short: ['--json', '-s', '5', ...own],
      other: ['--json', '/dev/null', ...own],
      text: [name],
    },
    () => {
      write(fd, 'hello\n');
      write(fd, '\x1b[31mred\0');
      mustSyscall('writev', fd, vector, 3);
      // What is typed is not what is written.
      write(master, 'typed');
    },
  );
  closeSync(fd);
  closeSync(master);
  const shown = (of: typeof seen.all) => of.rows.map(({ size, data, truncated }) => [size, data, truncated]);
  const rows = [
    [6, 'hello\\n', undefined],
    [9, '\\x1b[31mred\\x00', undefined],
    [8, 'one two\\n', undefined],
  ];
  assert.deepEqual(shown(seen.number), rows);
  assert.deepEqual(shown(seen.path), rows);
  assert.deepEqual(shown(seen.all), rows);
  assert.deepEqual(shown(seen.short), [
    [6, 'hello', true],
    [9, '\\x1b[31m', true],
    [8, 'one t', true],
  ]);
  assert.deepEqual(shown(seen.other), []);
  assert.ok(seen.all.rows.every(({ tty }) => tty === `136:${name}`));
  assert.ok(seen.all.rows.every(({ terminal }) => terminal === `pts/${name}`));
  assert.match(seen.text.stdout, new RegExp(`\\npts/${name} +${process.pid} `));
  assert.match(seen.text.stdout, /^TTY +PID +COMM +DATA\n/);
  const missing = await runTool('ttysnoop', ['/etc/passwd']);
  assert.equal(missing.code, 2);
});
