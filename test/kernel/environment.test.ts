import assert from 'node:assert/strict';
import { openSync } from 'node:fs';
import { test } from 'node:test';
import { startTool } from '../helpers/run-tool.ts';

/** Text that would do harm to a terminal, to a path, and to whoever takes it for a number. */
const hostile = '\u001b]0;x\u0007\u202e../../\n%n\u0085-1';
const path = '/nonexistent/environment';

/** What a tool, Node or a library of them may look at. */
const variables = [
  ...['TZ', 'LANG', 'LC_ALL', 'LANGUAGE', 'TERM', 'COLUMNS', 'LINES', 'NO_COLOR', 'FORCE_COLOR', 'COLORTERM'],
  ...['HOME', 'USER', 'SUDO_USER', 'SUDO_UID', 'SUDO_COMMAND', 'PWD', 'OLDPWD', 'TMPDIR', 'SHELL', 'PATH', 'EDITOR'],
  ...['NODE_DEBUG', 'DEBUG', 'CI', 'XDG_CONFIG_HOME', 'LIBBPF_LOG_LEVEL', 'KSCOPE', 'KSCOPE_TOOL'],
];

/** Those that Node itself, before it runs anything, does not survive when they are that long. */
const fragile = ['LANG', 'LC_ALL', 'NODE_DEBUG'];

for (const [how, value, left] of [
  ['hostile', hostile, []],
  ['empty', '', []],
  ['enormous', 'A'.repeat(40_000), fragile],
] as const) {
  test(`an environment that is ${how} changes nothing`, async () => {
    const given = variables.filter((name) => !(left as readonly string[]).includes(name));
    const env = Object.fromEntries(given.map((name) => [name, value]));
    const only = ['-p', String(process.pid), '-t', String(process.pid)];
    await using text = startTool('opensnoop', only, { env });
    await using json = startTool('opensnoop', [...only, '--json'], { env });
    await Promise.all([text.ready(), json.ready()]);
    assert.throws(() => openSync(path, 'r'));
    const [asText, asJson] = await Promise.all([text.end(), json.end()]);
    for (const { code, stderr } of [asText, asJson]) {
      assert.equal(code, 0);
      assert.match(stderr, /^Tracing [^\p{Cc}]*Hit Ctrl-C to end\.\n$/u);
    }
    assert.deepEqual(
      asJson.rows.map((row) => [row.pid, row.path]),
      [[process.pid, path]],
    );
    assert.doesNotMatch(asText.stdout.replaceAll('\n', ''), /\p{Cc}/u);
    assert.equal(asText.stdout.split('\n').length, 3);
  });
}
