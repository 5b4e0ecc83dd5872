import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runMounted } from '../helpers/mounted.ts';
import { assertRefused } from '../helpers/refused.ts';
import { runTool, toolCommand } from '../helpers/run-tool.ts';

// Needs nothing but tracepoints of system calls, so what fails here fails for the reason that the test gives.
const tool = 'opensnoop';

/** Some text that would do harm to a terminal. */
const hostile = '\u001b[31m\u202e\n\u0085';

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
