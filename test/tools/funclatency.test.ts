import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { compiledProgram } from '../helpers/compiled-program.ts';
import { countsBy, distributionsIn } from '../helpers/distribution.ts';
import { callKernel } from '../helpers/kernel-calls.ts';
import { needsKprobes } from '../helpers/needs-kprobes.ts';
import { ProbedLibrary } from '../helpers/probed-library.ts';
import { runTool, type ToolResult } from '../helpers/run-tool.ts';
import { tellsPlacesApart } from '../helpers/several-places.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

const distributions = ({ messages }: ToolResult) => distributionsIn(messages);
const counts = ({ messages }: ToolResult) => countsBy('func', messages);

test('calls of a library are counted, by function and process', async () => {
  using library = new ProbedLibrary();
  const { path } = library;
  const own = ['--json', '-p', String(process.pid)];
  const functions = [...own, '-F', `${path}:a*`];
  const apart = await tellsPlacesApart('funclatency', ...functions);
  const seen = await watch(
    'funclatency',
    {
      one: [...own, `${path}:add`],
      ...(apart && { functions, together: [...own, '-P', '-r', `${path}:(add|answer)$`] }),
      other: ['--json', '-p', '1', `${path}:add`],
      text: ['-u', '-p', String(process.pid), '-F', `${path}:add`],
    },
    () => {
      for (let i = 0; i < 23; i++) {
        library.add(1, 2);
      }
      for (let i = 0; i < 7; i++) {
        library.answer();
      }
    },
  );
  assert.deepEqual(counts(seen.one), { '': 23 });
  if (seen.functions !== undefined && seen.together !== undefined) {
    assert.deepEqual(counts(seen.functions), { add: 23, answer: 7 });
    assert.deepEqual(
      distributions(seen.together).map(({ pid, count, unit }) => ({ pid, count, unit })),
      [{ pid: process.pid, count: 30, unit: 'nsecs' }],
    );
  }
  assert.deepEqual(distributions(seen.other), []);
  assert.match(
    seen.text.stdout,
    /^function = add\n +usecs +: count +distribution\n[\s\S]*\navg = \d+ usecs, total: \d+ usecs, count: 23,/,
  );
});

const nested = `
#include <time.h>
__attribute__((noinline)) int descend(int n) {
	struct timespec time = { .tv_nsec = 2000000 };
	nanosleep(&time, 0);
	return n > 1 ? descend(n - 1) + 1 : 1;
}
__attribute__((noinline)) int outer(int n) { return descend(n) + 1; }
int main(void) { return outer(20) + outer(1) == 23 ? 0 : 1; }
`;

test('calls within calls of the same function each have their own time', async (t) => {
  using place = new TemporaryDirectory();
  const program = compiledProgram(t, place, 'nested', nested);
  if (program === undefined) {
    return;
  }
  const two = ['--json', '-F', '-l', '2', '-r', `${program}:(outer|descend)$`];
  const seen = await watch(
    'funclatency',
    {
      all: ['--json', '-m', `${program}:descend`],
      outermost: ['--json', '-m', '-l', '1', `${program}:descend`],
      ...((await tellsPlacesApart('funclatency', ...two)) && { two }),
    },
    () => execFileSync(program),
  );
  const [all] = distributions(seen.all);
  assert.equal(all?.count, 21);
  // 2 ms for the innermost, 4 for its caller...
  assert.ok(all.total >= (2 * (20 * 21)) / 2 + 2, `total ${all.total}`);
  const [outermost] = distributions(seen.outermost);
  assert.equal(outermost?.count, 2);
  assert.ok(outermost.total >= 42 && outermost.total <= all.total / 4, `total ${outermost.total}`);
  if (seen.two !== undefined) {
    assert.deepEqual(counts(seen.two), { outer: 2, descend: 2 });
  }
});

test('functions of the kernel are measured, however they are hooked', async (t) => {
  if (!(await needsKprobes(t, 'funclatency', 'vfs_mkdir'))) {
    return;
  }
  await using actor = await Actor.start();
  const own = ['--json', '-p', String(actor.pid)];
  const seen = await watch(
    'funclatency',
    {
      one: [...own, 'vfs_mkdir'],
      kprobe: [...own, '-k', '-F', 'vfs_mkdir'],
      several: [...own, '-F', '-r', 'vfs_(mkdir|readlink)$'],
      nested: [...own, '-r', '(do|filename)_mkdirat$|vfs_mkdir$', '-l', '1'],
    },
    () => callKernel(actor, { mkdir: 11, readlink: 4 }),
  );
  assert.deepEqual(counts(seen.one), { '': 11 });
  assert.deepEqual(counts(seen.kprobe), { vfs_mkdir: 11 });
  assert.deepEqual(counts(seen.several), { vfs_mkdir: 11, vfs_readlink: 4 });
  assert.deepEqual(counts(seen.nested), { '': 11 });
});

test('what cannot be measured is refused in a sentence', async () => {
  using library = new ProbedLibrary();
  using place = new TemporaryDirectory();
  const go = join(place.path, 'go');
  const bytes = readFileSync(library.path, 'latin1');
  writeFileSync(go, bytes.replace('.note.stapsdt', '.gopclntab\0\0\0'), 'latin1');
  const cases: readonly (readonly [args: string[], message: RegExp])[] = [
    [['t:sched:sched_switch'], /'t:sched:sched_switch' is no function/],
    [[`${library.path}:nothing`], /has no function 'nothing'/],
    [['no_such_function_at_all'], /the kernel has no function 'no_such_function_at_all'/],
    [['do_exit'], /'do_exit' cannot be traced/],
    [['c:_setjmp'], /'_setjmp' cannot be traced/],
    [[`${go}:add`], /is written in Go: [\s\S]*--force/],
  ];
  await Promise.all(
    cases.map(async ([args, message]) => {
      const { code, stderr } = await runTool('funclatency', args);
      assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
      assert.match(stderr, message);
    }),
  );
  await watch('funclatency', { forced: ['--json', '--force', `${go}:add`] }, () => undefined);
});
