import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namesIn } from '../../lib/bpf/printed-names.ts';

test('names are read from the format of a tracepoint, list by list', () => {
  const format = `name: kvm_exit
ID: 7
format:
\tfield:unsigned int reason;\toffset:8;\tsize:4;\tsigned:0;

print fmt: "reason %s %s", (REC->isa == 1) ? __print_symbolic(REC->reason & 0xffff, { 0, "ONE" }, { 12, "HLT\x1b" }) : __print_symbolic(REC->reason, { 0x040 + 1, "DB excp" }, { -1, "invalid" }, { ((0x7BUL)), "io" }, { SOMETHING, "x" }), "y"
`;
  assert.deepEqual(
    namesIn(format).map((names) => [...names]),
    [
      [
        [0, 'ONE'],
        [12, 'HLT\\x1b'],
      ],
      [
        [0x41, 'DB excp'],
        [-1, 'invalid'],
        [0x7b, 'io'],
      ],
    ],
  );
  assert.deepEqual(namesIn('print fmt: "%d", REC->x'), []);
  assert.deepEqual(namesIn(''), []);
  assert.deepEqual(namesIn('print fmt: "%s", __print_symbolic(REC->x, {'), [new Map()]);
});
