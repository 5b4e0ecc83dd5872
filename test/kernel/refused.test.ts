import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { BpfObject, KscopeError } from '../../lib/index.ts';
import { heldBy, leftOf } from '../helpers/bpf-ids.ts';
import { refusedObject } from '../helpers/recorded-refusals.ts';
import { built, startCommand } from '../helpers/run-tool.ts';

/** Loads what is asked for, and gives the error. */
function refusal(object: BpfObject): KscopeError {
  try {
    object.load();
  } catch (error) {
    assert.ok(error instanceof KscopeError, error instanceof Error ? error.stack : String(error));
    return error;
  }
  assert.fail('the kernel took a program that uses NULL');
}

// Linux 7.3 explains, older kernels only complain.
const why = /R0 (?:invalid mem access 'map_value_or_null'|may be NULL here .*)/;
const where = /\((?:refused\.bpf\.c:\d+: )?\*count \+= 1;\)/;
const says = new RegExp(`^cannot load program bad: the verifier refused it: ${why.source} ${where.source}$`);
const hint = /NULL/;

test('a program that the verifier refuses: which, why, where, and what to do', () => {
  using object = BpfObject.open(refusedObject);
  const { code, exitCode, message, hints, subject, log = '' } = refusal(object);
  assert.match(message, says);
  assert.deepEqual({ code, exitCode, subject }, { code: 'failed', exitCode: 1, subject: 'bad' });
  assert.equal(hints.length, 1);
  assert.match(hints[0] ?? '', hint);
  assert.match(log, /^prog 'bad': BPF program load failed/);
  assert.match(log, /\n0: .*\n(?:.*\n)*processed \d+ insns/, 'the whole log of the verifier');
});

test('nothing stays of an object with a program that was refused', () => {
  const files = () => readdirSync('/proc/self/fd').length;
  const before = { held: [...heldBy(process.pid)], files: files() };
  {
    using object = BpfObject.open(refusedObject);
    refusal(object);
    // The type information, which is neither, goes with the object.
    assert.deepEqual([...heldBy(process.pid)], before.held, 'programs and maps');
    assert.throws(() => object.attach(), { name: 'KscopeError', message: /^cannot attach: .* is open$/ });
  }
  assert.deepEqual({ held: [...heldBy(process.pid)], files: files() }, before);
});

test('the same object without that program loads, and goes', async () => {
  using object = BpfObject.open(refusedObject);
  object.program('bad').autoload = false;
  const before = heldBy(process.pid);
  object.load();
  const held = [...heldBy(process.pid)].filter((id) => !before.has(id));
  assert.equal(held.filter((id) => id.startsWith('prog ')).length, 1);
  object.close();
  assert.deepEqual(await leftOf(held), []);
});

for (const verbose of [false, true]) {
  test(`a tool whose program is refused ends with one sentence${verbose ? ', and the log with -v' : ''}`, async () => {
    const main = `${built}test/helpers/fake-main.js`;
    const args = ['unloadable', ...(verbose ? ['-v'] : [])];
    await using command = startCommand([process.execPath, main, ...args]);
    const { code, stdout, stderr } = await command.ended();
    assert.equal(code, 1, stderr);
    assert.equal(stdout, '');
    const lines = stderr.trimEnd().split('\n');
    const error = lines.findIndex((line) => line.startsWith('unloadable: cannot'));
    assert.match((lines[error] ?? '').replace('unloadable: ', ''), says);
    assert.match(lines[error + 1] ?? '', /^hint: .*NULL/);
    assert.equal(lines.length === 2, !verbose, stderr);
    assert.equal(/^ {2}processed \d+ insns/m.test(stderr), verbose, stderr);
  });
}
