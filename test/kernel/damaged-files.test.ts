import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { objectFile } from '../../lib/bpf/object-file.ts';
import { Registry } from '../../lib/cli/registry.ts';
import { inVirtualMachine } from '../helpers/deadline.ts';
import { fixtureObject } from '../helpers/fixture-object.ts';
import { startCommand } from '../helpers/run-tool.ts';

// What the loader gets from a stranger: a crash would be in libbpf, which trusts what it reads.
const main = fileURLToPath(new URL('../helpers/load-damaged-main.js', import.meta.url));
const seed = Number(process.env.KSCOPE_SEED ?? 1);
/** Damages to a file: KSCOPE_DAMAGES asks for more. */
const damages = Number(process.env.KSCOPE_DAMAGES ?? (inVirtualMachine ? 20 : 60));
const tool = await new Registry().load('opensnoop');

async function loadDamaged(what: string, file: string, count: number): Promise<{ loaded: number; refused: number }> {
  await using loader = startCommand([process.execPath, main, what, file, String(seed), String(count)]);
  const { code, signal, stdout, stderr } = await loader.ended();
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  assert.deepEqual({ code, signal }, { code: 0, signal: null }, `seed ${last}: ${stderr}`);
  return JSON.parse(last);
}

for (const [name, file] of [
  ['of every kind of program', fixtureObject('library')],
  ['of a tool', fileURLToPath(objectFile(tool.skeleton))],
] as const) {
  test(`an object ${name}, damaged in ${damages} ways, is loaded or refused`, async () => {
    const { loaded, refused } = await loadDamaged('object', file, damages);
    assert.equal(loaded + refused, damages);
    assert.ok(refused > damages / 10, `${refused} refused`);
  });
}

test('the BTF of this kernel, damaged, is believed or refused', async () => {
  const count = Math.ceil(damages / 8);
  const { loaded, refused } = await loadDamaged('btf', fileURLToPath(objectFile(tool.skeleton)), count);
  assert.equal(loaded + refused, count);
});
