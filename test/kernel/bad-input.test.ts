import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Registry } from '../../lib/cli/registry.ts';
import { type BpfId, heldBy, leftOf } from '../helpers/bpf-ids.ts';
import { CopiedBuild } from '../helpers/copied-build.ts';
import { patience } from '../helpers/deadline.ts';
import { runTool, startCommand, type ToolResult, toolCommand } from '../helpers/run-tool.ts';
import { unprivileged } from '../helpers/unprivileged.ts';

// Needs nothing but tracepoints of system calls, so what fails here fails for the reason that the test gives.
const tool = 'opensnoop';
const names = new Registry().names();

/** Some text that would do harm to a terminal. */
const hostile = '\u001b[31m\u202e\n\u0085';

interface Expected {
  readonly code: number;
  /** The first line. */
  readonly says: RegExp | string;
  /** The hints, in order. */
  readonly hints: readonly (RegExp | string)[];
}

/** One sentence, what to do about it, and nothing else: no data, no stack trace, nothing that steers a terminal. */
function assertRefused(result: ToolResult, { code, says, hints }: Expected): void {
  const { stdout, stderr } = result;
  assert.equal(result.code, code, stderr);
  assert.equal(stdout, '');
  assert.ok(stderr.endsWith('\n'));
  const [first = '', ...rest] = stderr.slice(0, -1).split('\n');
  assertIs(first, says);
  assert.equal(rest.length, hints.length, stderr);
  for (const [i, hint] of hints.entries()) {
    assert.match(rest[i] ?? '', /^hint: /);
    assertIs((rest[i] ?? '').replace('hint: ', ''), hint);
  }
  assert.doesNotMatch(stderr.replaceAll('\n', ''), /[\p{Cc}\u2028-\u202e]/u);
}

function assertIs(text: string, expected: RegExp | string): void {
  typeof expected === 'string' ? assert.equal(text, expected) : assert.match(text, expected);
}

async function run(argv: readonly [string, ...string[]], env: NodeJS.ProcessEnv = process.env): Promise<ToolResult> {
  await using command = startCommand(argv, { env });
  return await command.ended();
}

/** A line of shell in which "$@" is a command and $FOLDER a place for files, with mounts of its own. */
function mounted(script: string, command: readonly string[]): [string, ...string[]] {
  return ['unshare', '--mount', 'sh', '-c', script, 'sh', ...command];
}

async function runMounted(script: string, command: readonly string[]): Promise<ToolResult> {
  const folder = mkdtempSync(join(tmpdir(), 'kscope-mounted-'));
  try {
    return await run(mounted(script, command), { ...process.env, FOLDER: folder });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const name of names) {
  test(`${name}: an unknown option`, async () => {
    const result = await runTool(name, [`--nope${hostile}`]);
    const said = `${name}: unknown option '--nope\\x1b[31m\\u{202e}\\n\\u{85}'`;
    assertRefused(result, { code: 2, says: said, hints: [`${name} --help`] });
  });

  test(`${name}: without the privilege`, async () => {
    const result = await runTool(name, ['-p', '1', '--comm', "it's"], unprivileged);
    const sudo = /^sudo (\S+ )?\S+\/bin\/NAME -p 1 --comm 'it'\\''s'$/.source.replace('NAME', name);
    assertRefused(result, { code: 4, says: new RegExp(`^${name}: .*[Nn]ot permitted`), hints: [new RegExp(sudo)] });
  });
}

const wrongValues: Readonly<Record<string, readonly [args: readonly string[], says: string, hint?: string]>> = {
  'a number that is none': [['-p', 'x1'], "option '-p, --pid <PID>': 'x1' is not a whole number from 1 to 4194304"],
  'a number that is too small': [['-p', '0'], "option '-p, --pid <PID>': '0' is not a whole number from 1 to 4194304"],
  'a number that is too large': [
    ['-p', '99999999999999999999'],
    "option '-p, --pid <PID>': '99999999999999999999' is not a whole number from 1 to 4194304",
  ],
  'no value at all': [['--comm'], "option '--comm <NAME>' needs a value"],
  'no duration': [['--duration', '0'], "option '-d, --duration <SECONDS>': '0' is not a number of seconds above 0"],
  'a buffer that is too small': [
    ['--buffer-size', '1'],
    "option '--buffer-size <BYTES>': '1' is not a size from 4K to 1G",
  ],
  'an unknown user': [['-u', hostile], "option '-u, --uid <USER>': there is no user '\\x1b[31m\\u{202e}\\n\\u{85}'"],
  'an unknown format': [
    ['--time', 'sundial'],
    "option '--time <FORMAT>': 'sundial' is not one of clock, rfc3339, unix, relative",
  ],
  'an argument too many': [['argument'], "unexpected argument 'argument'"],
};

for (const [what, [args, says]] of Object.entries(wrongValues)) {
  test(what, async () => {
    assertRefused(await runTool(tool, args), { code: 2, says: `${tool}: ${says}`, hints: [`${tool} --help`] });
  });
}

test('an unknown field', async () => {
  const result = await runTool(tool, ['--fields', 'pid,nope']);
  assertRefused(result, { code: 2, says: `${tool}: there is no field 'nope'`, hints: [/^fields: time, pid, /] });
});

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
  const missing = await runTool(tool, ['--btf', '/nonexistent/btf']);
  const says = `${tool}: cannot read the BTF file '/nonexistent/btf': No such file or directory (ENOENT)`;
  assertRefused(missing, { code: 2, says, hints: [] });
  const wrong = await runTool(tool, ['--btf', '/etc/passwd']);
  assertRefused(wrong, { code: 2, says: `${tool}: '/etc/passwd' is not the BTF of a kernel`, hints: [] });
});

test('root that may do nothing', async () => {
  const drop = ['setpriv', '--bounding-set', '-all', '--inh-caps', '-all'] as const;
  const result = await run([...drop, ...toolCommand(tool)]);
  const hint = /^root lacks CAP_BPF and CAP_PERFMON; /;
  assertRefused(result, { code: 4, says: new RegExp(`^${tool}: .*[Nn]ot permitted`), hints: [hint] });
});

const libraries: Readonly<Record<string, readonly [file: string, says: RegExp, hint: RegExp]>> = {
  'no libbpf': ['/nonexistent/libbpf.so', /cannot load libbpf \(\/nonexistent\/libbpf\.so\): no such file$/, /^unset /],
  'a libbpf that is no library': ['/etc/passwd', /cannot load libbpf \(\/etc\/passwd\): /, /^unset KSCOPE_LIBBPF/],
  'another library in its place': [
    'libc.so.6',
    /the installed library has no function libbpf_/,
    /^install libbpf 1\.0 or newer$/,
  ],
};

for (const [what, [file, says, hint]] of Object.entries(libraries)) {
  test(what, async () => {
    const result = await run(toolCommand(tool), { ...process.env, KSCOPE_LIBBPF: file });
    assertRefused(result, { code: 3, says, hints: [hint] });
  });
}

/** A kernel without BTF, for the command in "$@". */
const hideBtf = 'mkdir "$FOLDER/empty" && mount --bind "$FOLDER/empty" /sys/kernel/btf && exec "$@"';

test('a kernel without BTF: who needs it says so', async () => {
  for (const name of names) {
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

const damages: Readonly<Record<string, (bytes: Buffer, other: Buffer) => Uint8Array | undefined>> = {
  'is not there': () => undefined,
  'is empty': () => Buffer.alloc(0),
  'is cut in its header': (bytes) => bytes.subarray(0, 40),
  'is cut in the middle': (bytes) => bytes.subarray(0, bytes.length / 2),
  'is cut at its end': (bytes) => bytes.subarray(0, bytes.length - 1),
  'is longer than it was': (bytes) => Buffer.concat([bytes, Buffer.from([0])]),
  'has another bit at its beginning': (bytes) => flip(bytes, 0),
  'has another bit in the middle': (bytes) => flip(bytes, bytes.length >> 1),
  'has another bit at its end': (bytes) => flip(bytes, bytes.length - 1),
  'is that of another tool': (_, other) => other,
};

function flip(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ 0x10, at);
  return copy;
}

test('an object file that is not the one that was built', async (t) => {
  using copy = new CopiedBuild();
  const whole = await run(copy.command(tool, ['--duration', '0.1']));
  assert.equal(whole.code, 0, whole.stderr);
  const other = readFileSync(copy.object(names.find((name) => name !== tool) ?? ''));
  for (const [how, damage] of Object.entries(damages)) {
    await t.test(`it ${how}`, async () => {
      copy.damage(tool, (bytes) => damage(bytes, other));
      assertRefused(await run(copy.command(tool)), {
        code: 1,
        says: new RegExp(`^${tool}: the BPF object of ${tool} (cannot be read: ENOENT|is damaged or of another build)`),
        hints: ['install the package again', 'or, in a source tree: npm run build'],
      });
    });
  }
});

for (const form of [[], ['--json']]) {
  test(`output that cannot be written ${form.join('')}`, async () => {
    const full = await run(['sh', '-c', 'exec "$@" >/dev/full', 'sh', ...toolCommand(tool, form)]);
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
    const result = await run(['sh', '-c', `exec "$@" ${redirection}`, 'sh', ...command]);
    assert.deepEqual({ code: result.code, signal: result.signal }, { code: 0, signal: null }, result.stderr);
    assert.doesNotMatch(result.stderr, /fail|error|warn| at /i);
  });
}

test('no locked memory allowed', async () => {
  const command = toolCommand(tool, ['--duration', '0.1']);
  const { code, stderr } = await run(['sh', '-c', 'ulimit -l 0; exec "$@"', 'sh', ...command]);
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
