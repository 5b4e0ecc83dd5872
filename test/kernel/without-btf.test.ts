import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Registry } from '../../lib/cli/registry.ts';
import { inVirtualMachine, patience } from '../helpers/deadline.ts';
import { eachTool, triedTools } from '../helpers/each-tool.ts';
import type { Tried } from '../helpers/each-tool-main.ts';
import { mounted, runMounted } from '../helpers/mounted.ts';
import { assertRefused } from '../helpers/refused.ts';
import { runTool, startCommand, toolCommand } from '../helpers/run-tool.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

// Needs nothing but tracepoints of system calls, so what fails here fails for the reason that the test gives.
const tool = 'opensnoop';
const tools = await new Registry().loadAll();

test('a BTF file that is none', async () => {
  const result = await runTool(tool, ['--btf', '/etc/passwd']);
  assertRefused(result, { code: 2, says: `${tool}: '/etc/passwd' is not the BTF of a kernel`, hints: [] });
});

/** A kernel without BTF, for the command in "$@". */
const hideBtf = 'mkdir -p "$FOLDER/empty" && mount --bind "$FOLDER/empty" /sys/kernel/btf && exec "$@"';

test('a kernel without BTF: who needs it says so', async () => {
  const names = inVirtualMachine ? [tool] : [...tools.keys()];
  using folder = new TemporaryDirectory();
  const env = { ...process.env, FOLDER: folder.path };
  const result = await startCommand(mounted(hideBtf, eachTool(names)), { env }).ended(patience * 10);
  const refused = triedTools(names, result).filter(({ hooks }) => hooks === undefined);
  const others: Tried[] = [];
  for (const tried of refused) {
    assert.equal(tried.code, 'unsupported', tried.crash ?? tried.message);
    if (tried.message?.includes('the kernel has no BTF')) {
      assert.ok((tried.hints ?? []).length > 0, tried.tool);
    } else {
      others.push(tried);
    }
  }
  assert.ok(refused.length > others.length);
  // Those lack something else, and do so with BTF, too.
  if (others.length > 0) {
    const lacking = others.map(({ tool }) => tool);
    assert.deepEqual(triedTools(lacking, await startCommand(eachTool(lacking)).ended(patience * 10)), others);
  }
  const says = `${tool}: cannot load the BPF object of ${tool}: the kernel has no BTF`;
  assertRefused(await runMounted(hideBtf, toolCommand(tool)), {
    code: 3,
    says,
    hints: ['use a kernel built with CONFIG_DEBUG_INFO_BTF', 'or give its BTF with --btf FILE'],
  });
});

for (const how of ['--btf', 'KSCOPE_BTF']) {
  test(`a kernel without BTF: a file with it will do, by ${how}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kscope-btf-'));
    try {
      const file = join(folder, 'vmlinux');
      copyFileSync('/sys/kernel/btf/vmlinux', file);
      const args = ['--json', '-p', String(process.pid), ...(how === '--btf' ? ['--btf', file] : [])];
      const env = { ...process.env, FOLDER: folder, ...(how === '--btf' ? {} : { KSCOPE_BTF: file }) };
      const command = mounted(hideBtf, toolCommand(tool, args));
      await using watched = startCommand(command, { json: true, env });
      await watched.ready();
      assert.throws(() => readFileSync('/nonexistent/a'), { code: 'ENOENT' });
      const { code, rows } = await watched.end();
      assert.equal(code, 0);
      assert.deepEqual(
        rows.map(({ pid, path, error }) => ({ pid, path, error })),
        [{ pid: process.pid, path: '/nonexistent/a', error: 2 }],
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

test('a kernel without BTF: with a file, there is a tool of each shape that runs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kscope-btf-'));
  try {
    const file = join(folder, 'vmlinux');
    copyFileSync('/sys/kernel/btf/vmlinux', file);
    // Those of a snapshot are iterators, which libbpf attaches by the kernel's own BTF.
    const wanted = new Set(['histogram', 'outstanding', 'snoop', 'stacks', 'top']);
    const env = { ...process.env, FOLDER: folder, KSCOPE_BTF: file };
    const rest = new Map(tools);
    while (wanted.size > 0) {
      // The next of each shape: what cannot run lacks something else.
      const names = [...wanted].map(
        (shape) => [...rest].find(([, each]) => each.shape === shape)?.[0] ?? assert.fail(`no ${shape} runs`),
      );
      const result = await startCommand(mounted(hideBtf, eachTool(names)), { env }).ended(patience * 10);
      for (const { tool, hooks, code, message, crash } of triedTools(names, result)) {
        assert.ok(hooks !== undefined || code === 'unsupported', `${tool}: ${message ?? crash}`);
        rest.delete(tool);
        if (hooks !== undefined) {
          wanted.delete(tools.get(tool)?.shape ?? '');
        }
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
