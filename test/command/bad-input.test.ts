import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Registry } from '../../lib/cli/registry.ts';
import { CopiedBuild } from '../helpers/copied-build.ts';
import { assertRefused, runCommand } from '../helpers/refused.ts';
import { runTool, toolCommand } from '../helpers/run-tool.ts';

// What is refused before the kernel is asked for anything. Any tool would do.
const tool = 'opensnoop';

/** Some text that would do harm to a terminal. */
const hostile = '\u001b[31m\u202e\n\u0085';

test('an unknown option', async () => {
  const result = await runTool(tool, [`--nope${hostile}`]);
  const said = `${tool}: unknown option '--nope\\x1b[31m\\u{202e}\\n\\u{85}'`;
  assertRefused(result, { code: 2, says: said, hints: [`${tool} --help`] });
});

const wrongValues: Readonly<Record<string, readonly [args: readonly string[], says: string, hint?: string]>> = {
  'a number that is none': [['-p', 'x1'], "option '-p, --pid <PID>': 'x1' is not a whole number from 1 to 4194304"],
  'an unknown user': [['-u', hostile], "option '-u, --uid <USER>': there is no user '\\x1b[31m\\u{202e}\\n\\u{85}'"],
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

test('a BTF file that is not there', async () => {
  const result = await runTool(tool, ['--btf', '/nonexistent/btf']);
  const says = `${tool}: cannot read the BTF file '/nonexistent/btf': No such file or directory (ENOENT)`;
  assertRefused(result, { code: 2, says, hints: [] });
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
    const result = await runCommand(toolCommand(tool), { ...process.env, KSCOPE_LIBBPF: file });
    assertRefused(result, { code: 3, says, hints: [hint] });
  });
}

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
  // As it is, it gives the schema.
  const whole = await runCommand(copy.command('kscope', ['schema', tool]));
  assert.equal(whole.code, 0, whole.stderr);
  const other = readFileSync(copy.object(new Registry().names().find((name) => name !== tool) ?? ''));
  for (const [how, damage] of Object.entries(damages)) {
    await t.test(`it ${how}`, async () => {
      copy.damage(tool, (bytes) => damage(bytes, other));
      assertRefused(await runCommand(copy.command(tool)), {
        code: 1,
        says: new RegExp(
          `^${tool}: the BPF object of ${tool} (cannot be read: .*ENOENT|is damaged or of another build)`,
        ),
        hints: ['install the package again', 'or, in a source tree: npm run build'],
      });
    });
  }
});
