import assert from 'node:assert/strict';
import { test } from 'node:test';
import koffi from 'koffi';
import { userFunction } from '../../lib/system/symbols/user-function.ts';

test('functions of a process have names, and what is none is an address', () => {
  const getpid = koffi.address(koffi.load(null).symbol('getpid', 'void *'));
  assert.match(userFunction(process.pid, 'self', `0x${getpid.toString(16)}`), /^(__)?getpid$/);
  assert.equal(userFunction(process.pid, 'self', '0x10'), '0x10');
  assert.equal(userFunction(2 ** 22 + 1, 'nobody', '0x10'), '0x10');
});
