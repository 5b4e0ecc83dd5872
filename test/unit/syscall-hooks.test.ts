import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readObjectSpec } from '../../lib/bpf/object-spec.ts';
import { functionSection, sectionInUse } from '../../lib/bpf/syscall-functions.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const prefix = process.arch === 'arm64' ? '__arm64_sys_' : '__x64_sys_';

test('the function of a system call is hooked as its tracepoint is', () => {
  assert.equal(functionSection('tp/syscalls/sys_exit_openat'), `kretprobe.multi/${prefix}openat`);
  assert.equal(
    functionSection('tracepoint/syscalls/sys_enter_rt_sigqueueinfo'),
    `kprobe.multi/${prefix}rt_sigqueueinfo`,
  );
  for (const other of ['tp/sched/sched_switch', 'tp/raw_syscalls/sys_exit', 'tp_btf/sys_exit', 'kprobe/vfs_read']) {
    assert.equal(functionSection(other), undefined, other);
  }
});

test('an object whose programs are made for tracepoints only stays there', () => {
  const section = 'tp/syscalls/sys_exit_openat';
  assert.equal(sectionInUse(section, new Set()), section);
});

test('programs at system calls are made for functions as well', () => {
  const folder = join(root, 'dist/bpf/x86');
  const without = readdirSync(folder)
    .map((file) => ({ file, ...readObjectSpec(readFileSync(join(folder, file)), file) }))
    .filter(({ programs }) => programs.some(({ section }) => functionSection(section) !== undefined))
    .filter(({ variables }) => !variables.has('syscalls_at_functions'));
  assert.deepEqual(
    without.map(({ file }) => file),
    [],
    'include syscall-exit.h and take the result from syscall_result(ctx), arguments from current_user_regs()',
  );
});

test('programs at system calls read nothing of their context but the result', () => {
  const sources = [join(root, 'bpf'), join(root, 'bpf/include')].flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => /\.(bpf\.c|h)$/.test(file) && file !== 'syscall-exit.h')
      .map((file) => join(folder, file)),
  );
  const direct = sources.filter((file) => {
    const text = readFileSync(file, 'utf8');
    return text.includes('syscalls/sys_') && /\bctx->(ret|args|nr)\b/.test(text);
  });
  assert.deepEqual(direct, []);
});
