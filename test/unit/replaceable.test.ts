import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Btf } from '../../lib/bpf/btf.ts';
import { replaceableResult } from '../../lib/probes/replaceable.ts';
import { KernelSymbols } from '../../lib/system/symbols/kernel.ts';
import { BtfBuilder } from '../helpers/btf-builder.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

test('what asks the security modules can fail, and what is listed, if it has an error to return', () => {
  using folder = new TemporaryDirectory();
  const list = join(folder.path, 'list');
  writeFileSync(
    list,
    'should_failslab+0x0/0x10\tERRNO\nshould_fail_alloc_page+0x0/0x10\tTRUE\nopen_ctree [btrfs]\tERRNO\nfind\tNULL\ngone\tERRNO\n',
  );
  const b = new BtfBuilder();
  const int = b.prototype(b.int('int', 4), []);
  const bool = b.prototype(b.int('_Bool', 1), []);
  const nothing = b.prototype(0, []);
  for (const name of ['security_file_open', 'should_failslab', 'vfs_read', 'find', 'open_ctree']) {
    b.function(name, int);
  }
  b.function('should_fail_alloc_page', bool);
  b.function('security_yes_or_no', bool);
  b.function('security_file_free', nothing);
  b.function('nothing', nothing);
  const btf = Btf.parse(b.build());
  const resultOf = (name: string) => replaceableResult(name, btf, list);
  for (const name of ['security_file_open', 'should_failslab', 'open_ctree']) {
    assert.equal(resultOf(name), 'error');
  }
  assert.equal(resultOf('should_fail_alloc_page'), 'true');
  const refusals = {
    vfs_read: ['unsupported', 'this kernel lets no program have vfs_read fail'],
    unknown: ['unsupported', 'this kernel lets no program have unknown fail'],
    security_unknown: ['unsupported', 'this kernel does not tell what security_unknown takes and returns, or lacks it'],
    gone: ['unsupported', 'this kernel does not tell what gone takes and returns, or lacks it'],
    security_file_free: ['usage', 'security_file_free returns nothing, so it cannot fail'],
    nothing: ['usage', 'nothing returns nothing, so it cannot fail'],
    find: ['usage', 'find returns no error, so a program cannot have it fail'],
    security_yes_or_no: ['usage', 'security_yes_or_no returns no error, so a program cannot have it fail'],
  };
  for (const [name, [code, message]] of Object.entries(refusals)) {
    assert.throws(() => resultOf(name), { code, message });
  }
  assert.throws(() => replaceableResult('should_failslab', btf, join(folder.path, 'no')), { code: 'unsupported' });
});

test('a function of the kernel goes from its symbol to the next other address', () => {
  using folder = new TemporaryDirectory();
  const file = join(folder.path, 'kallsyms');
  writeFileSync(
    file,
    'ffffffff81000300 t third\t[module]\nffffffff81000280 t first_half\t[module]\nffffffff81000100 T first\nffffffff81000100 t another\nffffffff81000200 t first_half\n',
  );
  const symbols = new KernelSymbols(file);
  assert.deepEqual(symbols.extents('first'), [[0xffffffff81000100n, 0xffffffff81000200n]]);
  assert.deepEqual(symbols.extents('another'), [[0xffffffff81000100n, 0xffffffff81000200n]]);
  // Two have this name.
  assert.deepEqual(symbols.extents('first_half'), [
    [0xffffffff81000200n, 0xffffffff81000280n],
    [0xffffffff81000280n, 0xffffffff81000300n],
  ]);
  assert.deepEqual(symbols.extents('third'), []);
  assert.deepEqual(symbols.extents('half'), []);
});
