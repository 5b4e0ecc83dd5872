import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Btf } from '../../lib/bpf/btf.ts';
import { functionsReturning } from '../../lib/bpf/functions-returning.ts';
import { securityHooks } from '../../lib/probes/security-hooks.ts';
import { BtfBuilder } from '../helpers/btf-builder.ts';

test('hooks are those that return a decision and whose function is there', () => {
  const b = new BtfBuilder();
  const int = b.int('int', 4);
  const long = b.int('long int', 8);
  const decision = b.prototype(int, []);
  const nothing = b.prototype(0, []);
  for (const name of ['bpf_lsm_file_open', 'security_file_open', 'bpf_lsm_settime', 'security_settime64']) {
    b.function(name, decision);
  }
  b.function('bpf_lsm_gone', decision);
  b.function('security_load_policy', decision);
  b.function('bpf_lsm_file_free', nothing);
  b.function('security_file_free', nothing);
  b.function('bpf_lsm_length', b.prototype(long, []));
  const btf = Btf.parse(b.build());
  assert.deepEqual(
    [...securityHooks(btf)],
    [
      ['security_file_open', 'file_open'],
      ['security_settime64', 'settime'],
    ],
  );
  assert.deepEqual([...functionsReturning(btf, 'long int', () => true)], ['bpf_lsm_length']);
});
