import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canAttach } from '../../lib/bpf/hooks.ts';
import { mptcpEnabled } from '../../lib/system/mptcp.ts';
import { Actor } from '../helpers/actor.ts';
import { taskFields } from '../helpers/task-fields.ts';
import { timeless, watch } from '../helpers/watch.ts';

const [AF_INET, AF_INET6] = [2, 10];
const [SOCK_STREAM, SOCK_DGRAM, SOCK_NONBLOCK] = [1, 2, 0o4000];
const [TCP, UDP, MPTCP] = [6, 17, 262];
const SOL_SOCKET = 1;
const SO_PROTOCOL = 38;
const PR_SET_NAME = 15;

async function protocolOf(actor: Actor, family: number, type: number, protocol: number): Promise<number> {
  const fd = await actor.mustCall('socket', family, type, protocol);
  const length = Buffer.from(Uint32Array.of(4).buffer);
  const { args } = await actor.ask(0, 'getsockopt', fd, SOL_SOCKET, SO_PROTOCOL, Buffer.alloc(4), length);
  await actor.mustCall('close', fd);
  return Buffer.from(args[3] as Uint8Array).readInt32LE();
}

test('those that are named get MPTCP for TCP, and only as long as it runs', async (t) => {
  const answer = canAttach('fmod_ret/update_socket_protocol');
  if (answer.supported === false || !mptcpEnabled()) {
    t.skip(answer.reason || 'MPTCP is turned off');
    return;
  }
  await using named = await Actor.start();
  await using other = await Actor.start();
  await named.mustCall('prctl', PR_SET_NAME, Buffer.from('a-long-name-for\0'), 0, 0, 0);
  const kinds = [
    { family: AF_INET, type: SOCK_STREAM, protocol: 0, usual: TCP, gets: MPTCP, ip: 4 },
    { family: AF_INET6, type: SOCK_STREAM | SOCK_NONBLOCK, protocol: TCP, usual: TCP, gets: MPTCP, ip: 6 },
    { family: AF_INET, type: SOCK_DGRAM, protocol: 0, usual: UDP, gets: UDP },
  ] as const;
  const seen = await watch('mptcpify', { rows: ['--json', '-t', 'nobody,a-long-name-for-a-command'] }, async () => {
    for (const { family, type, protocol, usual, gets } of kinds) {
      assert.equal(await protocolOf(named, family, type, protocol), gets);
      assert.equal(await protocolOf(other, family, type, protocol), usual);
    }
  });
  assert.deepEqual(
    timeless(seen.rows.rows),
    kinds.flatMap((kind) => ('ip' in kind ? [{ ...taskFields(named.pid), comm: 'a-long-name-for', ip: kind.ip }] : [])),
  );
  for (const { family, type, protocol, usual } of kinds) {
    assert.equal(await protocolOf(named, family, type, protocol), usual);
  }
});
