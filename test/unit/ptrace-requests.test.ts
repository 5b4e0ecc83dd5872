import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ptraceRequest } from '../../lib/model/ptrace-requests.ts';

test('requests of ptrace have names, and others are numbers', () => {
  assert.deepEqual([0, 16, 17, 0x4200, 0x4206, 0x420e, 0x4212].map(ptraceRequest), [
    'PTRACE_TRACEME',
    'PTRACE_ATTACH',
    'PTRACE_DETACH',
    'PTRACE_SETOPTIONS',
    'PTRACE_SEIZE',
    'PTRACE_GET_SYSCALL_INFO',
    'PTRACE_SET_SYSCALL_INFO',
  ]);
  assert.equal(ptraceRequest(0x4213), 'PTRACE_0x4213');
  assert.equal(ptraceRequest(99), 'PTRACE_0x63');
});
