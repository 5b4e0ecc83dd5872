import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseArguments, SyscallArguments } from '../../lib/bpf/syscall-arguments.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

function format(...fields: readonly string[]): string {
  const common = ['int common_pid;\toffset:4', 'int __syscall_nr;\toffset:8'];
  const lines = [...common, ...fields.map((field, i) => `${field};\toffset:${16 + 8 * i}`)];
  return `name: x\nformat:\n${lines.map((line) => `\tfield:${line};\tsize:8;\tsigned:0;\n`).join('')}\nprint fmt: "x"\n`;
}

test('arguments have names, and some are text', () => {
  assert.deepEqual(parseArguments(format('int dfd', 'const char * filename', '__data_loc char[] __filename_val')), [
    { name: 'dfd', text: false },
    { name: 'filename', text: true },
  ]);
  assert.deepEqual(parseArguments(format('const char * buf', 'const char *const * argv')), [
    { name: 'buf', text: false },
    { name: 'argv', text: false },
  ]);
  assert.deepEqual(parseArguments('nonsense'), []);
});

test('system calls are found by their usual names', () => {
  using directory = new TemporaryDirectory();
  for (const name of ['newfstat', 'openat']) {
    mkdirSync(join(directory.path, `sys_enter_${name}`));
    writeFileSync(join(directory.path, `sys_enter_${name}`, 'format'), format('unsigned int fd'));
  }
  mkdirSync(join(directory.path, 'sys_exit_openat'));
  const all = new SyscallArguments(directory.path);
  assert.deepEqual(all.names().sort(), ['fstat', 'openat']);
  assert.deepEqual(all.of('fstat'), [{ name: 'fd', text: false }]);
  assert.equal(all.of('close'), undefined);
});
