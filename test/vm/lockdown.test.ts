import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import type { Tried } from '../helpers/each-tool-main.ts';
import type { Guest } from './guest.ts';
import { startOrSkip } from './start-or-skip.ts';

const eachTool = join(import.meta.dirname, '../helpers/each-tool-main.js');
const command = (name: string): string => join(import.meta.dirname, '../../commands/bin', name);
const minute = 60_000;

/** They look at nothing but the arguments of their hooks, and at stacks. */
const working = ['dcstat', 'klockstat', 'pidpersec', 'profile', 'softirqs'];
const tracepointsOnly = ['execsnoop', 'opensnoop', 'vfsstat'];
const readers = ['biolatency', 'bpflist', 'filetop', 'runqlat', 'syscount', 'tcpaccept', 'tcpconnect', 'tcplife'];

test('a kernel in lockdown: what works, and what the rest says', async (t) => {
  await using guest = await startOrSkip(t, { kernel: '6.1', append: 'lockdown=confidentiality' });
  if (!guest) return;
  const mode = await guest.exec(['cat', '/sys/kernel/security/lockdown']);
  assert.equal(mode.stdout, 'none integrity [confidentiality]\n');

  const tried = await tryTools(guest, [...working, ...tracepointsOnly, 'funccount', ...readers]);
  for (const name of working) {
    await t.test(`${name} works`, () => assert.deepEqual(Object.keys(of(tried, name)), ['tool', 'hooks', 'refused']));
  }
  for (const name of tracepointsOnly) {
    await t.test(`${name} has no hook`, () => {
      const { code, message, hints } = of(tried, name);
      assert.equal(code, 'unsupported');
      const why = 'it is locked down, and (hides its tracepoints|forbids kprobes)';
      assert.match(message ?? '', new RegExp(`^this kernel lacks what ${name} needs: ${why}(; ${why})?$`));
      assert.deepEqual(hints, ['boot with lockdown=integrity, or without lockdown']);
    });
  }
  for (const name of readers) {
    await t.test(`${name} may not read the kernel's memory`, () => {
      const { code, message, hints } = of(tried, name);
      assert.equal(code, 'unsupported');
      assert.match(message ?? '', /^cannot load program \w+: the kernel does not let programs read its memory \(.*\)$/);
      const where = '/sys/kernel/security/lockdown must not say [confidentiality]';
      assert.deepEqual(hints, [`the kernel is probably locked down: ${where}`]);
    });
  }
  await t.test('a pattern of functions cannot be looked up', () => {
    const { code, message, hints } = of(tried, 'funccount');
    assert.deepEqual(
      { code, message, hints },
      {
        code: 'unsupported',
        message: 'the kernel is locked down, and hides its tracepoints',
        hints: ['boot with lockdown=integrity, or without lockdown'],
      },
    );
  });

  await t.test('the command says it in one sentence, with a hint', async () => {
    const { code, stdout, stderr } = await guest.exec([guest.node, command('opensnoop')], { timeout: minute });
    assert.deepEqual({ code, stdout }, { code: 3, stdout: '' });
    const says = 'this kernel lacks what opensnoop needs: it is locked down, and hides its tracepoints';
    assert.equal(stderr, `opensnoop: ${says}\nhint: boot with lockdown=integrity, or without lockdown\n`);
  });

  await t.test('a tool that works counts', async () => {
    const argv: [string, ...string[]] = [guest.node, command('softirqs'), '--json', '--duration', '1'];
    const { code, stdout, stderr } = await guest.exec(argv, { timeout: minute });
    assert.equal(code, 0, stderr);
    const messages = stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    assert.ok(
      messages.some(({ type, rows }) => type === 'table' && rows.length > 0),
      stdout,
    );
  });
});

async function tryTools(guest: Guest, names: readonly string[]): Promise<Map<string, Tried>> {
  const argv: [string, ...string[]] = [guest.node, eachTool, ...names];
  const { code, stdout, stderr } = await guest.exec(argv, { timeout: 2 * minute });
  assert.equal(code, 0, stderr);
  const tried = stdout
    .trimEnd()
    .split('\n')
    .map((line): Tried => JSON.parse(line));
  return new Map(tried.map((one) => [one.tool, one]));
}

function of(tried: ReadonlyMap<string, Tried>, name: string): Tried {
  return tried.get(name) ?? assert.fail(`nothing is known of ${name}`);
}
