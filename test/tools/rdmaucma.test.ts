import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { addAddress, enterNetwork } from '../helpers/network-namespace.ts';
import { type JsonMessage, runTool } from '../helpers/run-tool.ts';
import { socketAddress } from '../helpers/socket-address.ts';
import { timeless, watch } from '../helpers/watch.ts';

const ROUNDS = 23;
const MANAGER = '/dev/infiniband/rdma_cm';
const AT_FDCWD = -100;
const O_RDWR = 2;
/** Commands of the manager (rdma/rdma_user_cm.h), and the port space that is TCP's. */
const [CREATE_ID, RESOLVE_IP] = [0, 3];
const RDMA_PS_TCP = 0x0106;
const ENODEV = 19;
const PAGE = 4096;

function command(number: number, answer: number, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(number, 0);
  head.writeUInt16LE(body.length, 4);
  head.writeUInt16LE(answer, 6);
  return Buffer.concat([head, body]);
}

/** A number that is 32 bits of the memory of a process. */
function read32(pid: number, address: number): number {
  const file = openSync(`/proc/${pid}/mem`, 'r');
  try {
    const bytes = Buffer.alloc(4);
    readSync(file, bytes, 0, 4, address);
    return bytes.readUInt32LE();
  } finally {
    closeSync(file);
  }
}

test('an address that no device of RDMA has is an event with its error', async (t) => {
  if (!existsSync(MANAGER) && spawnSync('modprobe', ['rdma_ucm']).status !== 0) {
    const { code, stderr } = await runTool('rdmaucma', ['--duration', '0.1']);
    assert.equal(code, 3);
    assert.match(stderr, /^rdmaucma: this kernel lacks what rdmaucma needs: .*rdma_cma:cm_event_handler/);
    t.skip('there is no connection manager here');
    return;
  }
  await using actor = await Actor.start();
  await enterNetwork(actor);
  // Loopback addresses are those of a device.
  const addresses = ['192.0.2.1', '2001:db8::1'];
  for (const address of addresses) {
    await addAddress(actor, address, isIPv4(address) ? 32 : 128, 'loopback');
  }
  const fd = await actor.mustCall('openat', AT_FDCWD, MANAGER, O_RDWR, 0);
  const room = await actor.mustCall('mmap', 0, PAGE, 3, 0x22, -1, 0);
  const resolve = async (address: string, port: number) => {
    const create = Buffer.alloc(24);
    create.writeBigUInt64LE(BigInt(room), 8);
    create.writeUInt16LE(RDMA_PS_TCP, 16);
    const made = command(CREATE_ID, 4, create);
    assert.equal(await actor.mustCall('write', fd, made, made.length), made.length);
    const body = Buffer.alloc(64);
    socketAddress({ address, port }).copy(body, 28);
    body.writeUInt32LE(read32(actor.pid, room), 56);
    body.writeUInt32LE(1000, 60);
    const asked = command(RESOLVE_IP, 0, body);
    assert.equal(await actor.mustCall('write', fd, asked, asked.length), asked.length);
  };
  const places = addresses.flatMap((address, family) =>
    Array.from({ length: ROUNDS }, (_, i) => ({ address, port: 10_000 + 100 * family + i })),
  );
  const seen = await watch(
    'rdmaucma',
    { all: ['--json'], four: ['--json', '-4'], six: ['--json', '-6'], text: [] },
    async (tools) => {
      for (const { address, port } of places) {
        await resolve(address, port);
      }
      // They are told of by a thread of the kernel.
      const last = places.at(-1)?.port;
      await Promise.all([tools.all, tools.six].map((tool) => tool.row(({ dport }) => dport === last)));
    },
  );
  // The port that was chosen is the kernel's affair, and the identifier comes with the device.
  const known = (rows: readonly JsonMessage[]) =>
    timeless(rows).map((row) => ({ ...row, id: 0, saddr: undefined, lport: undefined }));
  const expected = places.map(({ address, port }) => ({
    id: 0,
    event: 'ADDR_ERROR',
    cm_status: -ENODEV,
    error: ENODEV,
    ip: isIPv4(address) ? 4 : 6,
    saddr: undefined,
    lport: undefined,
    daddr: address,
    dport: port,
  }));
  assert.deepEqual(known(seen.all.rows), expected);
  for (const [name, version] of [
    ['four', 4],
    ['six', 6],
  ] as const) {
    assert.deepEqual(
      known(seen[name].rows),
      expected.filter(({ ip }) => ip === version),
    );
  }
  const lines = seen.text.stdout.match(/^.* ADDR_ERROR .* 192\.0\.2\.1 +100\d\d ENODEV$/gm);
  assert.equal(lines?.length, ROUNDS, seen.text.stdout);
});
