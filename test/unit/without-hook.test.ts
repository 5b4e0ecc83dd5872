import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Frame } from '../../lib/model/message.ts';
import { withoutHook } from '../../lib/shapes/stack-symbols.ts';

const frame = (symbol: string | undefined, module?: string): Frame => ({
  address: 0xffffffff81000000n,
  ...(symbol !== undefined && { symbol }),
  ...(module !== undefined && { module }),
});
const program = frame('bpf_prog_6deef7357e7b4530_checked', '[bpf]');
const stack = [frame('cap_capable'), frame('security_capable')];

test('the frames of a program and of what called it are left out', () => {
  assert.deepEqual(withoutHook(stack), stack);
  assert.deepEqual(withoutHook([program, frame('bpf_trampoline_6442', '[bpf]'), ...stack]), stack);
  assert.deepEqual(withoutHook([program, frame('bpf_trace_run4'), frame('__bpf_trace_x'), ...stack]), stack);
});

test('a trampoline that the kernel did not list is none of a module', () => {
  assert.deepEqual(withoutHook([program, frame('slave_register.cold', '[net_failover]'), ...stack]), stack);
  assert.deepEqual(withoutHook([program, frame(undefined), ...stack]), stack);
});

test('functions of modules stay', () => {
  const own = [frame('xfs_file_open', '[xfs]'), ...stack];
  assert.deepEqual(withoutHook(own), own);
  assert.deepEqual(withoutHook([program, frame('bpf_trampoline_6442', '[bpf]'), ...own]), own);
  assert.deepEqual(withoutHook([program, ...stack]), stack);
});
