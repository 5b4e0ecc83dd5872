import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { writeStubs } from '../../lib/gen/stubs.ts';

const root = mkdtempSync(join(tmpdir(), 'kscope-stubs-'));
after(() => rmSync(root, { recursive: true }));

const dist = join(root, 'dist');
for (const folder of ['tools', 'commands/bin', 'commands/shared']) {
  mkdirSync(join(dist, folder), { recursive: true });
}
writeFileSync(join(root, 'package.json'), '{ "type": "module" }');
writeFileSync(join(dist, 'commands/bin/old-tool'), '');
writeFileSync(join(dist, 'tools/rows.js'), `export default { aliases: { 'odd-rows': ['--text', "it's \\\\n"] } };`);
writeFileSync(join(dist, 'tools/rows.d.ts'), '');
writeFileSync(join(dist, 'tools/Not A Tool.js'), '');
// Says what it was called with, and ends with a status of its own.
writeFileSync(
  join(dist, 'commands/shared/start.cjs'),
  'exports.start = (...args) => { console.log(JSON.stringify(args)); process.exitCode = 7; };',
);

const names = await writeStubs(dist);

function call(path: string, ...args: string[]): unknown[] {
  const { status, stdout, stderr } = spawnSync(path, args, { encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.equal(status, 7);
  return JSON.parse(stdout);
}

test('there is one command for kscope, for each tool and for each alias, and none besides', () => {
  assert.deepEqual(names, ['kscope', 'odd-rows', 'rows']);
  assert.deepEqual(readdirSync(join(dist, 'commands/bin')).sort(), names);
  for (const name of names) {
    assert.equal(statSync(join(dist, 'commands/bin', name)).mode & 0o777, 0o755, name);
  }
});

test('each passes its arguments on, and the exit status back', () => {
  assert.deepEqual(call(join(dist, 'commands/bin/kscope'), 'rows', '-x'), [['rows', '-x'], null]);
  assert.deepEqual(call(join(dist, 'commands/bin/rows'), '-x', ''), [['-x', ''], 'rows']);
  const given = ['--text', "it's \\n", '-x'];
  assert.deepEqual(call(join(dist, 'commands/bin/odd-rows'), '-x'), [given, 'rows', { name: 'odd-rows' }]);
});

test('a link to a command is the command', () => {
  const link = join(root, 'linked');
  symlinkSync(join(dist, 'commands/bin/rows'), link);
  assert.deepEqual(call(link), [[], 'rows']);
});
