import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { copyProject } from '../helpers/copied-project.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

// Alone: measures what processors take.

/** What a command says, and the seconds of processor time that it took with all that it started. */
function timed(folder: string, ...command: readonly string[]) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  const { stdout, stderr } = spawnSync('sh', ['-c', '"$@"; echo "status $?"; times', 'sh', ...command], {
    cwd: folder,
    env,
    encoding: 'utf8',
  });
  const [, text, status, user = '', system = ''] =
    /^(.*)status (\d+)\n.*\n(\S+) (\S+)\n$/s.exec(stdout) ?? assert.fail(stdout + stderr);
  return { text, status: Number(status), stderr, seconds: [user, system].map(secondsOf).reduce((a, b) => a + b) };
}

/** Of '1m2.5s'. */
function secondsOf(time: string): number {
  const [, minutes = '', seconds = ''] = /^(\d+)m([\d.]+)s$/.exec(time) ?? [];
  return Number(minutes) * 60 + Number(seconds);
}

test('npm start of what is fresh makes nothing, says nothing, and takes less than 0.3 s', () => {
  using place = new TemporaryDirectory();
  const project = join(place.path, 'project');
  copyProject(project);
  const stamp = statSync(join(project, 'dist/.fresh')).mtimeMs;
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round++) {
    const started = timed(project, 'npm', 'start', '--silent', '--', '--version');
    const direct = timed(project, process.execPath, 'dist/commands/bin/kscope', '--version');
    assert.deepEqual([started.status, started.text, started.stderr], [0, direct.text, '']);
    least = Math.min(least, started.seconds - direct.seconds);
  }
  assert.ok(least < 0.3, `${least} s`);
  assert.equal(statSync(join(project, 'dist/.fresh')).mtimeMs, stamp);
});

test('npm start of what is stale, where there is no compiler and no apt, says in a sentence what to install', () => {
  using place = new TemporaryDirectory();
  const project = join(place.path, 'project');
  copyProject(project);
  const programs = join(place.path, 'programs');
  mkdirSync(programs);
  symlinkSync(process.execPath, join(programs, 'node'));
  const source = join(project, 'bpf/opensnoop.bpf.c');
  const before = readFileSync(source, 'utf8');
  appendFileSync(source, '\n');
  const { status, stdout, stderr } = spawnSync(process.execPath, ['lib/gen/start.mjs', 'opensnoop'], {
    cwd: project,
    env: { PATH: programs },
    encoding: 'utf8',
  });
  assert.deepEqual([status, stdout], [1, '']);
  const wanted = 'clang, llvm-strip: install what provides them (Debian and Ubuntu: clang llvm)';
  assert.equal(stderr, `kscope: missing ${wanted}\n`);
  assert.equal(readFileSync(source, 'utf8'), `${before}\n`);
});
