import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { test } from 'node:test';
import { probeFeature } from '../../lib/bpf/features.ts';
import { findProbes } from '../../lib/probes/find.ts';
import { kernelFunctions } from '../../lib/probes/kernel-functions.ts';
import { parseProbePattern } from '../../lib/probes/pattern.ts';
import { runTool } from '../helpers/run-tool.ts';

const reason = probeFeature('kprobe').supported === false && probeFeature('kprobe').reason;

test('a single function is left to the kernel, a pattern is looked for in its list', { skip: reason }, (t) => {
  const opened: string[] = [];
  const original = fs.openSync;
  t.mock.method(fs, 'openSync', (...args: Parameters<typeof fs.openSync>) => {
    opened.push(String(args[0]));
    return original(...args);
  });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  const lists = (text: string) => {
    opened.length = 0;
    const found = findProbes(parseProbePattern(text));
    assert.ok(found.kind === 'kernel' && found.functions.includes('vfs_read'));
    return opened.filter((path) => /available_filter_functions|kallsyms/.test(path)).length > 0;
  };
  assert.deepEqual([lists('vfs_read'), lists('vfs_rea*')], [false, true]);
});

test('what is no function of the kernel is refused as such, however it is hooked', { skip: reason }, async () => {
  // Which of them are there differs from kernel to kernel.
  const [denied = ''] = kernelFunctions((name) => /^perf_\w+$/.test(name)).denied;
  const cases: readonly (readonly [tool: string, args: string[], message: RegExp])[] = [
    ['funccount', ['vfs_raed'], /^funccount: the kernel has no function 'vfs_raed'\n/],
    ['funcslower', ['-k', 'vfs_raed'], /^funcslower: the kernel has no function 'vfs_raed'\n/],
    ['funcinterval', ['vfs_read.cold'], /^funcinterval: the kernel has no function 'vfs_read\.cold'\n/],
    ['stackcount', [denied], new RegExp(`^stackcount: '${denied}' cannot be traced: it must not be `)],
  ];
  await Promise.all(
    cases.map(async ([tool, args, message]) => {
      const { code, stderr } = await runTool(tool, args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
    }),
  );
});
