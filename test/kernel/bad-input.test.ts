import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Registry } from '../../lib/cli/registry.ts';
import { type BpfId, heldBy, leftOf } from '../helpers/bpf-ids.ts';
import { inVirtualMachine, patience } from '../helpers/deadline.ts';
import { assertRefused, runCommand } from '../helpers/refused.ts';
import { runTool, startCommand, type ToolResult, toolCommand } from '../helpers/run-tool.ts';
import { unprivileged } from '../helpers/unprivileged.ts';

// Needs nothing but tracepoints of system calls, so what fails here fails for the reason that the test gives.
const tool = 'opensnoop';
const names = new Registry().names();

/** Some text that would do harm to a terminal. */
const hostile = '\u001b[31m\u202e\n\u0085';

/** A line of shell in which "$@" is a command and $FOLDER a place for files, with mounts of its own. */
function mounted(script: string, command: readonly string[]): [string, ...string[]] {
  return ['unshare', '--mount', 'sh', '-c', script, 'sh', ...command];
}

async function runMounted(script: string, command: readonly string[]): Promise<ToolResult> {
  const folder = mkdtempSync(join(tmpdir(), 'kscope-mounted-'));
  try {
    return await runCommand(mounted(script, command), { ...process.env, FOLDER: folder });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// The tools share what refuses them: where commands are slow to start, one stands for all.
for (const name of inVirtualMachine ? [tool] : names) {
  test(`${name}: without the privilege`, async () => {
    const result = await runTool(name, ['--json', '--duration', '5'], unprivileged);
    const sudo = new RegExp(`^sudo (\\S+ )?\\S+/bin/${name} --json --duration 5$`);
    assertRefused(result, { code: 4, says: new RegExp(`^${name}: .*[Nn]ot permitted`), hints: [sudo] });
  });
}

test('a cgroup that is none', async () => {
  const result = await runTool(tool, ['--cgroup', `/no${hostile}`]);
  const says = `${tool}: '/no\\x1b[31m\\u{202e}\\n\\u{85}' is not a cgroup v2 directory`;
  // Without cgroup v2 there is none at all, which is another thing to say.
  result.code === 3
    ? assertRefused(result, { code: 3, says: `${tool}: cgroup v2 is not mounted`, hints: [/^mount -t cgroup2 /] })
    : assertRefused(result, { code: 2, says, hints: [/^look below \//] });
});

test('a pinned map that is none', async () => {
  const result = await runTool(tool, ['--mntnsmap', '/nonexistent/map']);
  const says = `${tool}: cannot open the pinned map '/nonexistent/map': No such file or directory (ENOENT)`;
  assertRefused(result, { code: 2, says, hints: [/^give the path of a map below \//] });
});

test('a BTF file that is none', async () => {
  const result = await runTool(tool, ['--btf', '/etc/passwd']);
  assertRefused(result, { code: 2, says: `${tool}: '/etc/passwd' is not the BTF of a kernel`, hints: [] });
});

test('root that may do nothing', async () => {
  const drop = ['setpriv', '--bounding-set', '-all', '--inh-caps', '-all'] as const;
  const result = await runCommand([...drop, ...toolCommand(tool)]);
  const hint = /^root lacks CAP_BPF and CAP_PERFMON; /;
  assertRefused(result, { code: 4, says: new RegExp(`^${tool}: .*[Nn]ot permitted`), hints: [hint] });
});

/** A kernel without BTF, for the command in "$@". */
const hideBtf = 'mkdir "$FOLDER/empty" && mount --bind "$FOLDER/empty" /sys/kernel/btf && exec "$@"';

test('a kernel without BTF: who needs it says so', async () => {
  for (const name of inVirtualMachine ? [tool] : names) {
    const result = await runMounted(hideBtf, toolCommand(name, ['--duration', '0.1']));
    if (result.code !== 0) {
      assert.equal(result.code, 3, result.stderr);
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

test('tracefs that is not mounted is mounted for the command alone', async () => {
  const script = `
    umount -R /sys/kernel/debug; umount -R /sys/kernel/tracing
    [ ! -e /sys/kernel/tracing/events ] || exit 70
    cp /proc/self/mounts "$FOLDER/before"; "$@"; status=$?
    # Each reader has a line of its own for the file of the mounts itself: none here.
    cmp /proc/self/mounts "$FOLDER/before" || exit 71
    exit $status`;
  const result = await runMounted(script, toolCommand(tool, ['--duration', '0.1']));
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stderr, /^Tracing .*$/m);
});

for (const form of [[], ['--json']]) {
  test(`output that cannot be written ${form.join('')}`, async () => {
    const full = await runCommand(['sh', '-c', 'exec "$@" >/dev/full', 'sh', ...toolCommand(tool, form)]);
    assert.equal(full.code, 1);
    const [ready, said, end] = full.stderr.split('\n');
    assert.match(ready ?? '', /Ctrl-C/);
    assert.equal(said, `${tool}: cannot write output: no space left on device (ENOSPC)`);
    assert.equal(end, '');
  });
}

for (const redirection of ['2>/dev/full', '2>&-', '>&-', '<&-', '>&- 2>&- <&-']) {
  test(`descriptors that are closed or full: ${redirection}`, async () => {
    const command = toolCommand(tool, ['--duration', '0.1']);
    const result = await runCommand(['sh', '-c', `exec "$@" ${redirection}`, 'sh', ...command]);
    assert.deepEqual({ code: result.code, signal: result.signal }, { code: 0, signal: null }, result.stderr);
    assert.doesNotMatch(result.stderr, /fail|error|warn| at /i);
  });
}

test('no locked memory allowed', async () => {
  const command = toolCommand(tool, ['--duration', '0.1']);
  const { code, stderr } = await runCommand(['sh', '-c', 'ulimit -l 0; exec "$@"', 'sh', ...command]);
  assert.equal(code, 0, stderr);
});

test('told to end before it runs', async () => {
  await using early = startCommand(toolCommand(tool));
  const { code, signal, stderr } = await early.end();
  // By the signal itself while it is not yet handled, later as always.
  assert.ok(code === 0 || signal === 'SIGINT', stderr);
  assert.doesNotMatch(stderr, /fail|error| at /i);
});

test('told to end while it loads', async () => {
  await using early = startCommand(toolCommand(tool));
  let held = new Set<BpfId>();
  for (const end = performance.now() + patience; held.size === 0 && performance.now() < end; held = heldBy(early.pid)) {
    await new Promise(setImmediate);
  }
  assert.notEqual(held.size, 0, early.stderr);
  const { code, stderr } = await early.end();
  assert.equal(code, 0, stderr);
  assert.deepEqual(await leftOf(held), []);
});
