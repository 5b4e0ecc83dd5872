import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runTool, startCommand, type ToolResult } from '../helpers/run-tool.ts';
import { spawnProcess, waitStatus } from '../helpers/spawn-process.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { tinyNativeProgram, tinyProgramIn } from '../helpers/tiny-program.ts';
import { watch } from '../helpers/watch.ts';

interface Row {
  readonly mntns: number;
  readonly comm: string;
  readonly syscall: string;
  readonly count: number;
}

interface Profile {
  readonly defaultAction: string;
  readonly architectures: readonly string[];
  readonly syscalls: readonly { readonly names: readonly string[]; readonly action: string }[];
}

const architecture = process.arch === 'arm64' ? 'SCMP_ARCH_AARCH64' : 'SCMP_ARCH_X86_64';

function rowsOf({ messages }: ToolResult): Row[] {
  return messages.filter(({ type }) => type === 'table').flatMap(({ rows }) => rows as Row[]);
}

test('the calls of a program, of its namespace, and of those that a process makes', async () => {
  using directory = new TemporaryDirectory();
  const comm = `tiny${process.pid}`;
  const file = join(directory.path, comm);
  writeFileSync(file, tinyNativeProgram(7), { mode: 0o755 });
  await using shell = startCommand(['/bin/sh'], { stdio: ['pipe', 'pipe', 'pipe'] });
  const mntns = statSync('/proc/self/ns/mnt').ino;
  const seen = await watch(
    'seccompadvise',
    {
      program: ['--json', '--comm', comm],
      namespace: ['--json', '--comm', comm, '--mntns', String(mntns)],
      other: ['--json', '--comm', comm, '--mntns', String(mntns - 1)],
      shell: ['--json', '-p', String(shell.process.pid)],
      profile: ['-P', '--comm', comm],
      logging: ['-P', '-a', 'log', '-p', String(shell.process.pid)],
      nothing: ['-P', '--comm', comm, '-u', '4294967294'],
    },
    async () => {
      // Not of the shell's making.
      waitStatus(spawnProcess(file, [comm]));
      shell.process.stdin?.end(`(${file}; ${file}; exit 3)\nexit 0\n`);
      await shell.ended();
    },
  );
  const counts = (result: ToolResult) => rowsOf(result).map(({ syscall, count }) => [syscall, count]);
  const made = [
    ['getpid', 21],
    ['exit', 3],
  ];
  assert.deepEqual(counts(seen.program), made);
  assert.ok(rowsOf(seen.program).every((row) => row.comm === comm && row.mntns === mntns));
  assert.deepEqual(counts(seen.namespace), made);
  assert.deepEqual(counts(seen.other), []);
  const inShell = new Map(rowsOf(seen.shell).map((row) => [row.syscall, row]));
  assert.deepEqual([inShell.get('exit')?.count, inShell.get('exit')?.comm], [2, comm]);
  assert.equal(inShell.get('execve')?.count, 2);
  assert.equal(inShell.get('exit_group')?.count, 2);
  assert.deepEqual(JSON.parse(seen.profile.stdout), {
    defaultAction: 'SCMP_ACT_ERRNO',
    architectures: [architecture],
    syscalls: [{ names: ['exit', 'getpid'], action: 'SCMP_ACT_ALLOW' }],
  });
  const logging = JSON.parse(seen.logging.stdout) as Profile;
  assert.equal(logging.defaultAction, 'SCMP_ACT_LOG');
  assert.deepEqual(logging.syscalls[0]?.names, [...inShell.keys()].sort());
  assert.deepEqual((JSON.parse(seen.nothing.stdout) as Profile).syscalls, []);
});

test('calls of 32-bit programs are told, and are not in the profile', async (t) => {
  using directory = new TemporaryDirectory();
  const file = tinyProgramIn(t, directory, 7);
  if (file === undefined) {
    return;
  }
  const { code, stdout, stderr } = await runTool('seccompadvise', ['-P', '--comm', 'tiny', '--', file]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /not in the profile: exit \(32-bit\), getpid \(32-bit\)\n/);
  assert.deepEqual((JSON.parse(stdout) as Profile).syscalls, []);
});
