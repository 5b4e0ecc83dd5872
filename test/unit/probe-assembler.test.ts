import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Assembler } from '../../lib/probes/assembler.ts';
import { interpret, Memory } from '../helpers/bpf-interpreter.ts';

function hex(code: Assembler): string {
  return Buffer.from(code.finish()).toString('hex');
}

test('instructions are encoded as the kernel has them', () => {
  const cases: readonly [write: (code: Assembler) => Assembler, bytes: string][] = [
    [(code) => code.compute('=', 6, 1), 'bf16000000000000'],
    [(code) => code.compute('+', 1, { number: -8 }), '07010000f8ffffff'],
    [(code) => code.compute32('=', 0, 0), 'bc00000000000000'],
    [(code) => code.set(2, 80n), 'b702000050000000'],
    [(code) => code.set(1, -1n), 'b7010000ffffffff'],
    [(code) => code.set(1, 0xffff_ffffn), '18010000ffffffff0000000000000000'],
    [(code) => code.set(1, 0x0123_4567_89ab_cdefn), '18010000efcdab890000000067452301'],
    [(code) => code.set(1, 1n << 63n), '18010000000000000000000000000080'],
    [(code) => code.load(4, 0, 6, 16), '6160100000000000'],
    [(code) => code.load(8, 0, 10, -8), '79a0f8ff00000000'],
    [(code) => code.store(8, 10, -16, 0), '7b0af0ff00000000'],
    [(code) => code.store(4, 7, 36, { number: 3 }), '6207240003000000'],
    [(code) => code.addAtomically(1, 0, 2), 'db21000000000000'],
    [(code) => code.map(1, 5), '18110000050000000000000000000000'],
    [(code) => code.variable(1, 5, 24), '18210000050000000000000018000000'],
    [(code) => code.call(14), '850000000e000000'],
    [(code) => code.negate(3), '8703000000000000'],
    [(code) => code.exit(), '9500000000000000'],
  ];
  for (const [write, bytes] of cases) {
    assert.equal(hex(write(new Assembler())), bytes);
  }
});

test('jumps find places before and behind them, over what takes two instructions', () => {
  const code = new Assembler();
  const [end, again] = [code.label(), code.label()];
  code
    .jumpIf('signed <', 3, { number: 0 }, end)
    .place(again)
    .set(1, 1n << 40n)
    .jumpIf('>', 1, 2, again)
    .place(end)
    .exit();
  const bytes = Buffer.from(code.finish());
  assert.equal(bytes.readInt16LE(2), 3);
  assert.equal(bytes.readInt16LE(3 * 8 + 2), -3);
  assert.throws(() => new Assembler().jump(new Assembler().label()).finish(), /jumps to nowhere/);
});

test('numbers are extended with and without their sign', () => {
  const extended = (value: bigint, bits: number, signed: boolean) =>
    interpret(new Assembler().set(0, value).extend(0, bits, signed).exit().finish(), 0n, new Memory());
  assert.equal(extended(0x1_ffff_fffen, 32, true), -2n);
  assert.equal(extended(0x1_ffff_fffen, 32, false), 0xffff_fffen);
  assert.equal(extended(0x1ffn, 8, false), 0xffn);
  assert.equal(extended(0x180n, 8, true), -128n);
  assert.equal(extended(-5n, 64, false), -5n);
});

test('a program has an end to its length', () => {
  const code = new Assembler();
  for (let i = 0; i < 5000; i++) {
    code.exit();
  }
  assert.throws(() => code.finish(), { code: 'usage' });
});
