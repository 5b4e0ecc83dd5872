import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type BpfId, heldBy, leftOf } from '../helpers/bpf-ids.ts';
import { inVirtualMachine, patience } from '../helpers/deadline.ts';
import { randomNumbers } from '../helpers/random.ts';
import { startCommand, startTool, toolCommand } from '../helpers/run-tool.ts';

// Needs nothing but tracepoints of system calls, so what fails here fails for the reason that the test gives.
const tool = 'opensnoop';

test('told to end before it runs', async () => {
  await using early = startCommand(toolCommand(tool));
  const { code, signal, stderr } = await early.end();
  // By the signal itself while it is not yet handled, later as always.
  assert.ok(code === 0 || signal === 'SIGINT', stderr);
  assert.doesNotMatch(stderr, /fail|error| at /i);
});

test('told to end while it loads', async () => {
  await using early = startCommand(toolCommand(tool));
  let held = new Set<BpfId>();
  for (const end = performance.now() + patience; held.size === 0 && performance.now() < end; held = heldBy(early.pid)) {
    await new Promise(setImmediate);
  }
  assert.notEqual(held.size, 0, early.stderr);
  const { code, stderr } = await early.end();
  assert.equal(code, 0, stderr);
  assert.deepEqual(await leftOf(held), []);
});

/** How many kills: KSCOPE_KILLS asks for more. */
const kills = Number(process.env.KSCOPE_KILLS ?? (inVirtualMachine ? 3 : 12));
const seed = Number(process.env.KSCOPE_SEED ?? 7);

/** Probes that outlive a process are in these lists of tracefs. */
function probeEvents(): string[] {
  return ['kprobe_events', 'uprobe_events'].flatMap((name) => {
    try {
      return readFileSync(`/sys/kernel/tracing/${name}`, 'utf8').split('\n');
    } catch {
      return [];
    }
  });
}

function pins(): string[] {
  return existsSync('/sys/fs/bpf') ? readdirSync('/sys/fs/bpf', { recursive: true, encoding: 'utf8' }) : [];
}

test('killed at any moment, it leaves no program, map, link, pin, mount or probe', async () => {
  const random = randomNumbers(seed);
  const tools = ['opensnoop', 'bashreadline', 'biolatency', 'profile'];
  const before = { probes: probeEvents(), pins: pins(), mounts: readFileSync('/proc/self/mounts', 'utf8') };
  // From the start of the process until a while after everything is attached.
  await using measured = startTool(tool);
  const started = performance.now();
  await measured.ready();
  const span = (performance.now() - started) * 1.2;
  await measured.end();
  const seen = new Set<BpfId>();
  for (let kill = 0; kill < kills; kill++) {
    await using victim = startTool(tools[kill % tools.length] ?? tool);
    if (kill === kills - 1) {
      await victim.ready();
    } else {
      // One in each part of that time.
      const moment = ((kill + random(1000) / 1000) / (kills - 1)) * span;
      await new Promise((resolve) => setTimeout(resolve, moment));
    }
    // What it has right now, it cannot change any more.
    victim.process.kill('SIGSTOP');
    for (const id of heldBy(victim.pid)) {
      seen.add(id);
    }
    await victim.end('SIGKILL');
  }
  assert.deepEqual(await leftOf(seen), [], `KSCOPE_SEED=${seed}`);
  const after = { probes: probeEvents(), pins: pins(), mounts: readFileSync('/proc/self/mounts', 'utf8') };
  assert.deepEqual(after, before);
  assert.ok(seen.size > 0, 'none lived long enough to load anything');
});
