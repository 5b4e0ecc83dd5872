import assert from 'node:assert/strict';
import { test } from 'node:test';
import { permissionHints, type Surroundings, sudoLine } from '../../lib/cli/permission.ts';

function surroundings(details: Partial<Surroundings> = {}): Surroundings {
  return {
    uid: 1000,
    node: '/usr/bin/node',
    script: '/usr/bin/thing',
    args: ['-p', '181'],
    executable: (path) => ['/usr/bin/node', '/usr/bin/thing', '/opt/k/bin/thing'].includes(path),
    may: () => false,
    perfEventParanoid: 2,
    ...details,
  };
}

test('a command that sudo finds is called by its name', () => {
  assert.deepEqual(permissionHints(surroundings()), ['sudo thing -p 181']);
});

test('a command elsewhere is called by its path', () => {
  assert.equal(sudoLine(surroundings({ script: '/opt/k/bin/thing' })), 'sudo /opt/k/bin/thing -p 181');
});

test('a node that sudo would not find is named too', () => {
  const node = '/home/me/.versions/bin/node';
  const executable = (path: string) => path === node || path === '/opt/k/bin/thing';
  assert.equal(
    sudoLine(surroundings({ node, script: '/opt/k/bin/thing', executable })),
    `sudo ${node} /opt/k/bin/thing -p 181`,
  );
});

test('a script that is no command is given to node', () => {
  assert.equal(sudoLine(surroundings({ script: '/src/start.mjs' })), 'sudo /usr/bin/node /src/start.mjs -p 181');
});

test('arguments are quoted so that a shell reads them as they were', () => {
  const args = ['-n', "it's", '--name', '$(x)', '', '--a=b,c'];
  assert.equal(sudoLine(surroundings({ args })), `sudo thing -n 'it'\\''s' --name '$(x)' '' --a=b,c`);
});

test('root without capabilities is told which ones are missing, not to use sudo', () => {
  const lacking = (missing: readonly string[]) =>
    permissionHints(surroundings({ uid: 0, may: (name) => !missing.includes(name) }));
  assert.deepEqual(lacking([]), []);
  assert.deepEqual(lacking(['SYS_ADMIN']), []);
  assert.match(lacking(['SYS_ADMIN', 'BPF'])[0] ?? '', /lacks CAP_BPF[;,]/);
  assert.match(lacking(['SYS_ADMIN', 'BPF', 'PERFMON'])[0] ?? '', /lacks CAP_BPF and CAP_PERFMON/);
});

test('where CAP_PERFMON is not enough for tracepoints, the setting is named', () => {
  const hints = (perfEventParanoid: number, ...held: string[]) =>
    permissionHints(surroundings({ perfEventParanoid, may: (name) => held.includes(name) })).slice(1);
  assert.deepEqual(hints(3, 'BPF', 'PERFMON'), ['or: sysctl kernel.perf_event_paranoid=2']);
  assert.deepEqual(hints(2, 'BPF', 'PERFMON'), []);
  assert.deepEqual(hints(3), []);
  assert.deepEqual(hints(3, 'BPF', 'PERFMON', 'SYS_ADMIN'), []);
});
