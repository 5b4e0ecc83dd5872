import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Registry } from '../../lib/cli/registry.ts';
import { inVirtualMachine } from '../helpers/deadline.ts';
import { mounted, runMounted } from '../helpers/mounted.ts';
import { assertRefused } from '../helpers/refused.ts';
import { runTool, startCommand, toolCommand } from '../helpers/run-tool.ts';
import { usualArguments } from '../helpers/usual-arguments.ts';

// Needs nothing but tracepoints of system calls, so what fails here fails for the reason that the test gives.
const tool = 'opensnoop';
const tools = await new Registry().loadAll();

test('a BTF file that is none', async () => {
  const result = await runTool(tool, ['--btf', '/etc/passwd']);
  assertRefused(result, { code: 2, says: `${tool}: '/etc/passwd' is not the BTF of a kernel`, hints: [] });
});

/** A kernel without BTF, for the command in "$@". */
const hideBtf = 'mkdir "$FOLDER/empty" && mount --bind "$FOLDER/empty" /sys/kernel/btf && exec "$@"';

test('a kernel without BTF: who needs it says so', async () => {
  for (const [name, each] of [...tools].filter(([one]) => one === tool || !inVirtualMachine)) {
    const args = [...usualArguments(each), '--duration', '0.1'];
    const result = await runMounted(hideBtf, toolCommand(name, args));
    if (result.code !== 0) {
      assert.equal(result.code, 3, result.stderr);
      if (!result.stderr.includes('no BTF')) {
        // Then it lacks something else, and does so with BTF, too.
        assert.equal((await runTool(name, args)).stderr, result.stderr);
        continue;
      }
      assert.match(result.stderr, new RegExp(`^${name}: .*the kernel has no BTF.*\nhint: `));
      assert.doesNotMatch(result.stderr, /\n +at /);
    }
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
    const works = new Set<string>();
    for (const [name, each] of tools) {
      if (!works.has(each.shape)) {
        const args = [...usualArguments(each), '--btf', file, '--duration', '0.1'];
        const { code, stderr } = await runMounted(hideBtf, toolCommand(name, args));
        if (code === 0) {
          works.add(each.shape);
        } else {
          assert.equal(code, 3, stderr);
        }
      }
    }
    // Those of a snapshot are iterators, which libbpf attaches by the kernel's own BTF.
    works.delete('custom');
    // And a listing has nothing in the kernel.
    works.delete('listing');
    assert.deepEqual([...works].sort(), ['histogram', 'outstanding', 'snoop', 'stacks', 'top']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
