import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDependencies } from '../../lib/gen/objects.ts';

test('the inputs of an object, as the compiler lists them', () => {
  const rule = '.cache/objects/x86/a.bpf.o: bpf/a.bpf.c bpf/include/core.h \\\n  /usr/include/bpf/bpf\\ helpers.h\n';
  assert.deepEqual(parseDependencies(rule), ['bpf/a.bpf.c', 'bpf/include/core.h', '/usr/include/bpf/bpf helpers.h']);
});
