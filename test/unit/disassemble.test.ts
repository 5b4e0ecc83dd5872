import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Assembler } from '../../lib/probes/assembler.ts';
import { disassemble } from '../../lib/probes/disassemble.ts';
import { helpers } from '../../lib/probes/value-writer.ts';
import { damage, randomNumbers } from '../helpers/random.ts';

const mapName = (fd: number) => `m${fd}`;

/** One of each kind. */
function program(): Uint8Array {
  const code = new Assembler();
  const [end, middle] = [code.label(), code.label()];
  code.compute('=', 6, 1).set(2, 0x1234_5678_9abcn).map(1, 7).variable(3, 8, 16);
  code.load(8, 0, 10, -16).load(1, 4, 6, 3).store(4, 10, -8, 0).store(2, 7, 2, { number: -5 });
  code.jumpIf('signed <', 0, { number: -1 }, end).jumpIf('!=', 1, 2, middle).call(helpers.ringReserve).call(4711);
  code.place(middle).compute('signed >>', 5, { number: 3 }).compute32('=', 5, 5).compute('%', 5, 4).negate(5);
  code.addAtomically(1, 8, 2).jump(end).place(end).exit();
  return code.finish();
}

test('instructions are told as the verifier tells them', () => {
  assert.deepEqual(
    disassemble(program(), mapName).map(({ index, instruction }) => `${index} ${instruction}`),
    [
      ...['0 r6 = r1', '1 r2 = 0x123456789abc', '3 r1 = map m7', '5 r3 = value of m8 + 16'],
      ...['7 r0 = *(u64 *)(r10 - 16)', '8 r4 = *(u8 *)(r6 + 3)'],
      ...['9 *(u32 *)(r10 - 8) = r0', '10 *(u16 *)(r7 + 2) = -5'],
      ...['11 if r0 s< -1 goto 21', '12 if r1 != r2 goto 15', '13 call bpf_ringbuf_reserve', '14 call 4711'],
      ...['15 r5 s>>= 3', '16 w5 = w5', '17 r5 %= r4', '18 r5 = -r5'],
      ...['19 lock *(u64 *)(r1 + 8) += r2', '20 goto 21', '21 exit'],
    ],
  );
});

test('every helper that programs call has a name', () => {
  for (const helper of Object.values(helpers)) {
    const [{ instruction } = { instruction: '' }] = disassemble(new Assembler().call(helper).finish(), mapName);
    assert.match(instruction, /^call bpf_[a-z_]+$/);
  }
});

test('code that is none is told somehow', () => {
  const random = randomNumbers(5);
  for (let i = 0; i < 300; i++) {
    const numbers = disassemble(damage(Buffer.from(program()), random), mapName).map(({ index }) => index);
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
    );
  }
});
