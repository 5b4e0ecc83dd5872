import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { cgroupOf } from '../helpers/cgroup.ts';
import { commOf } from '../helpers/task-fields.ts';
import { timeless, watch } from '../helpers/watch.ts';

const MAP_CREATE = 0;
const MAP_LOOKUP_ELEM = 1;
const PROG_LOAD = 5;
const ARRAY = 2;
const TRACEPOINT = 5;
const EBADF = 9;

/** union bpf_attr: words from the start, and a name behind them. */
function attributes(words: readonly number[], nameAt: number, name: string): Uint8Array {
  const bytes = new Uint8Array(144);
  bytes.set(new Uint8Array(Uint32Array.from(words).buffer));
  bytes.set(Buffer.from(name), nameAt);
  return bytes;
}

test('each map and program is a row, made or refused', async () => {
  await using actor = await Actor.start();
  const comm = commOf(actor.pid);
  const own = ['--json', '-p', String(actor.pid)];
  let results: readonly number[] = [];
  const seen = await watch(
    'bpfload',
    { usual: own, failed: [...own, '-x'], all: [...own, '-a'], text: ['-p', String(actor.pid)] },
    async () => {
      const map = attributes([ARRAY, 4, 8, 23], 28, 'known\u001bmap');
      const good = attributes([ARRAY, 4, 8, 23], 28, 'known_map');
      const program = attributes([TRACEPOINT, 0], 48, 'none');
      const done = await actor.perform([
        { name: 'bpf', args: [MAP_CREATE, good, good.length] },
        { name: 'bpf', args: [MAP_CREATE, map, map.length] },
        { name: 'bpf', args: [PROG_LOAD, program, program.length] },
        { name: 'bpf', args: [MAP_LOOKUP_ELEM, attributes([1000], 16, ''), 32] },
      ]);
      results = done.map(({ result }) => result);
    },
  );
  const [fd = -1, badName = 0, badProgram = 0, badMap] = results;
  assert.ok(fd >= 0 && badName < 0 && badProgram < 0);
  assert.equal(badMap, -EBADF);
  const who = { pid: actor.pid, tid: actor.pid, uid: 0, comm, cgroup: cgroupOf(actor.pid) };
  const made = { ...who, cmd: MAP_CREATE, call: 'map_create', code: ARRAY, kind: 'array', size: 23 };
  const expected = [
    { ...made, name: 'known_map', fd },
    { ...made, name: 'known\\x1bmap', error: -badName },
    {
      ...who,
      cmd: PROG_LOAD,
      call: 'prog_load',
      code: TRACEPOINT,
      kind: 'tracepoint',
      size: 0,
      name: 'none',
      error: -badProgram,
    },
  ];
  assert.deepEqual(timeless(seen.usual.rows), expected);
  assert.deepEqual(timeless(seen.failed.rows), expected.slice(1));
  const { all } = seen;
  assert.deepEqual(
    all.rows.map(({ call, error, kind }) => [call, error, kind]),
    [
      ...expected.map(({ call, kind, ...row }) => [call, 'error' in row ? row.error : undefined, kind]),
      ['map_lookup_elem', EBADF, undefined],
    ],
  );
  assert.match(seen.text.stdout, /^TIME +PID COMM +CALL +TYPE +NAME +SIZE +FD ERR\n/);
  assert.match(seen.text.stdout, / map_create +array +known_map +23 +\d+ -\n/);
});
