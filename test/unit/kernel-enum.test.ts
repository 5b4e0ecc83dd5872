import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Btf } from '../../lib/bpf/btf.ts';
import { enumIn } from '../../lib/bpf/kernel-enum.ts';
import { hookArguments, tracepointArguments } from '../../lib/bpf/tracepoint-arguments.ts';
import { BtfBuilder } from '../helpers/btf-builder.ts';

test('an enumeration is found by any of its tags, or by a member', () => {
  const b = new BtfBuilder();
  b.enum('other', { A: 1 });
  b.enum('', { HI_SOFTIRQ: 0, TIMER_SOFTIRQ: 1 });
  b.enum('req_op', { REQ_OP_READ: 0, 'REQ\u001b': 7 });
  const btf = Btf.parse(b.build());
  assert.deepEqual(
    [...enumIn(btf, { tag: ['req_opf', 'req_op'] })],
    [
      [0, 'REQ_OP_READ'],
      [7, 'REQ\\x1b'],
    ],
  );
  assert.deepEqual(
    [...enumIn(btf, { member: 'TIMER_SOFTIRQ' })],
    [
      [0, 'HI_SOFTIRQ'],
      [1, 'TIMER_SOFTIRQ'],
    ],
  );
  assert.deepEqual([...enumIn(btf, { tag: ['none'] }), ...enumIn(btf, { member: 'NONE' })], []);
});

test('the arguments of a tracepoint are counted without the kernel\u2019s own', () => {
  const b = new BtfBuilder();
  const int = b.int('int', 4, { signed: true });
  const prototype = (...names: string[]) =>
    b.pointer(
      b.prototype(
        0,
        names.map((name) => ({ name, type: int })),
      ),
    );
  b.typedef('btf_trace_old', prototype('__data', 'q', 'rq'));
  b.typedef('btf_trace_new', prototype('__data', 'rq'));
  b.typedef('btf_trace_odd', int);
  b.function('work', b.prototype(0, [{ name: 'one', type: int }]));
  const btf = Btf.parse(b.build());
  assert.deepEqual(
    ['old', 'new', 'odd', 'none', 'work'].map((name) => tracepointArguments(btf, name)),
    [2, 1, undefined, undefined, undefined],
  );
  assert.deepEqual(
    ['old', 'none', 'work'].map((name) => hookArguments(btf, name)),
    [2, undefined, 1],
  );
});
