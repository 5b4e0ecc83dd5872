import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { TestCgroup } from '../helpers/cgroup.ts';
import { type JsonMessage, runTool, startCommand, startTool, type ToolResult } from '../helpers/run-tool.ts';
import { ranLonger } from '../helpers/spinner.ts';
import { stacksProgram } from '../helpers/stacks-program.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

interface Sample {
  readonly pid: number;
  readonly comm: string;
  readonly weight: number;
  readonly user: readonly string[] | undefined;
  readonly kernel: readonly string[] | undefined;
  readonly modules: readonly string[];
}

/** Nanoseconds of a processor in which there are samples. */
const enough = 2e8;

type Frames = readonly { readonly symbol?: string; readonly module?: string }[] | undefined;

function samples(messages: readonly JsonMessage[], pid?: number): Sample[] {
  return messages
    .filter((message) => message.type === 'stack' && (pid === undefined || message.pid === pid))
    .map((message) => {
      const names = (frames: Frames) => frames?.map(({ symbol }) => symbol ?? '?');
      return {
        pid: message.pid as number,
        comm: message.comm as string,
        weight: message.weight as number,
        user: names(message.user as Frames),
        kernel: names(message.kernel as Frames),
        modules: ((message.user as Frames) ?? []).map(({ module }) => module ?? '?'),
      };
    });
}

function total(all: readonly Sample[], wanted: (one: Sample) => boolean = () => true): number {
  return all.filter(wanted).reduce((sum, { weight }) => sum + weight, 0);
}

function share(all: readonly Sample[], wanted: (one: Sample) => boolean): number {
  return total(all, wanted) / total(all);
}

/** Profiles one command from its start to its end. */
async function profileOf(args: readonly string[], command: readonly [string, ...string[]]) {
  await using tool = startTool('profile', ['--json', '-F', '199', ...args]);
  await tool.ready();
  await using running = startCommand(command);
  const { pid } = running;
  assert.equal((await running.ended()).code, 0);
  const result = await tool.end();
  assert.equal(result.code, 0, result.stderr);
  return { pid, ...result };
}

test('a busy function of a process that is over has the samples', async (t) => {
  using place = new TemporaryDirectory();
  const program = stacksProgram(t, place);
  if (program === undefined) {
    return;
  }
  const { pid, messages, stderr } = await profileOf([], [program, 'spin', '1']);
  const own = samples(messages, pid);
  assert.ok(total(own) >= 150 && total(own) <= 250, `${total(own)} samples of 1 s at 199 Hz`);
  const [innermost, caller] = ['spin_in_here', 'main'];
  assert.ok(share(own, ({ user }) => user?.[0] === innermost && user[1] === caller) >= 0.9, JSON.stringify(own));
  // Until its exec, the process has the name of who started it.
  const spinning = own.filter(({ user }) => user?.includes(innermost));
  assert.deepEqual([...new Set(spinning.map(({ comm }) => comm))], ['stacks']);
  t.diagnostic(stderr);
});

test('a program whose file was deleted while it ran, and which is over, still has names', async (t) => {
  using place = new TemporaryDirectory();
  const program = stacksProgram(t, place);
  if (program === undefined) {
    return;
  }
  const { pid, messages } = await profileOf([], [program, 'spin', '1', 'unlink']);
  const own = samples(messages, pid);
  assert.ok(share(own, ({ user }) => user?.[0] === 'spin_in_here') >= 0.9, JSON.stringify(own));
  assert.ok(own.some(({ modules }) => modules[0] === program));
});

test('code that a JIT compiler made is named by its map', async (t) => {
  using place = new TemporaryDirectory();
  const script = join(place.path, 'script.js');
  writeFileSync(
    script,
    `let counter = 0;
function spinInScript(until) {
  while (process.cpuUsage().user < until) for (let i = 0; i < 1e7; i++) counter = (counter + i * 7) % 1000003;
}
spinInScript(process.cpuUsage().user + 1e6);
console.log(process.pid);
`,
  );
  const { pid, messages } = await profileOf(
    ['-U'],
    [process.execPath, '--perf-basic-prof', `--logfile=${script}.log`, '--interpreted-frames-native-stack', script],
  );
  using map = new OwnFile(`/tmp/perf-${pid}.map`);
  assert.match(readFileSync(map.path, 'utf8'), /spinInScript/);
  const own = samples(messages, pid);
  // How long the start of Node takes beside it is the machine's affair.
  const found = total(own, ({ user }) => user?.some((name) => name.includes('spinInScript')) === true);
  assert.ok(found >= 150 && found <= 250, `${found} samples of 1 s at 199 Hz, ${total(own)} in all`);
  assert.ok(own.every(({ kernel }) => kernel === undefined));
  t.diagnostic(`${found} of ${total(own)} samples`);
});

test('only one side of the stacks is taken when asked, and only one process', async (t) => {
  using place = new TemporaryDirectory();
  const program = stacksProgram(t, place);
  if (program === undefined) {
    return;
  }
  await using spinning = startCommand([program, 'spin', '1000']);
  await using other = startCommand([program, 'spin', '1000']);
  const own = ['--json', '-F', '199', '-p', String(spinning.pid)];
  const seen = await watch(
    'profile',
    {
      user: ['-U', ...own],
      kernel: ['-K', ...own],
      wrong: ['--json', '-F', '199', '-p', String(process.pid), '--comm', 'stacks'],
    },
    () => ranLonger(spinning.pid, enough),
  );
  const [user, kernel, wrong] = [seen.user, seen.kernel, seen.wrong].map(({ messages }) => samples(messages)) as [
    Sample[],
    Sample[],
    Sample[],
  ];
  assert.ok(user.length > 0);
  assert.ok(user.every(({ kernel, pid }) => kernel === undefined && pid === spinning.pid));
  assert.ok(user.some((one) => one.user !== undefined));
  assert.ok(kernel.length > 0);
  assert.ok(kernel.every((one) => one.user === undefined && one.pid === spinning.pid));
  assert.deepEqual(wrong, []);
  assert.ok(other.pid > 0);
});

test('a cgroup is sampled when asked', async (t) => {
  using place = new TemporaryDirectory();
  const program = stacksProgram(t, place);
  if (program === undefined) {
    return;
  }
  using group = new TestCgroup();
  await using inside = startCommand(group.command([program, 'spin', '1000']));
  await using outside = startCommand([program, 'spin', '1000']);
  const { group: all } = await watch('profile', { group: ['--json', '-F', '199', '--cgroup', group.path] }, () =>
    Promise.all([inside, outside].map(({ pid }) => ranLonger(pid, enough))),
  );
  const seen = samples(all.messages);
  assert.deepEqual([...new Set(seen.map(({ pid }) => pid))], [inside.pid]);
});

test('several processes are sampled when asked, and stacks are as deep and as many as there is place for', async (t) => {
  using place = new TemporaryDirectory();
  const program = stacksProgram(t, place);
  if (program === undefined) {
    return;
  }
  await using one = startCommand([program, 'spin', '1000']);
  await using two = startCommand([program, 'spin', '1000']);
  await using other = startCommand([program, 'spin', '1000']);
  const pids = `${one.pid},${two.pid}`;
  const small = ['--perf-max-stack-depth', '1', '--stack-storage-size', '2', '--hash-storage-size', '2'];
  const [{ both, first }, few, deep] = await Promise.all([
    watch(
      'profile',
      {
        both: ['--json', '-F', '199', '-p', pids],
        // A process is its first thread.
        first: ['--json', '-F', '199', '-L', pids, '-p', String(two.pid)],
      },
      () => Promise.all([one, two, other].map(({ pid }) => ranLonger(pid, enough))),
    ),
    runTool('profile', ['--json', '-U', '-F', '199', '-p', `${pids},${other.pid}`, ...small, '1']),
    runTool('profile', ['--perf-max-stack-depth', '1024', '1']),
  ]);
  const seen = samples(both.messages);
  assert.deepEqual([...new Set(seen.map(({ pid }) => pid))].sort(), [one.pid, two.pid].sort());
  const threads = samples(first.messages);
  assert.deepEqual([...new Set(threads.map(({ pid }) => pid))], [two.pid]);

  const kept = samples(few.messages);
  assert.ok(kept.length > 0 && kept.length <= 2);
  assert.ok(kept.every(({ user }) => user === undefined || user.length === 1));
  const lost = few.messages.filter(({ type }) => type === 'lost').reduce((sum, { count }) => sum + Number(count), 0);
  const missed = few.messages.some(({ text }) => /have no stack: there was no place in the table/.test(String(text)));
  assert.ok(lost > 0 || missed, 'three processes in two rows, and three places in two');
  const limit = Number(readFileSync('/proc/sys/kernel/perf_event_max_stack', 'utf8'));
  assert.equal(deep.code, limit < 1024 ? 2 : 0, deep.stderr);
});

test('one processor is sampled when asked, at the frequency asked', async (t) => {
  const bound = spawnSync('taskset', ['-c', '0', 'true']);
  if (bound.status !== 0) {
    t.skip('there is no taskset');
    return;
  }
  using place = new TemporaryDirectory();
  const program = stacksProgram(t, place);
  if (program === undefined) {
    return;
  }
  await using spinning = startCommand(['taskset', '-c', '0', program, 'spin', '1000']);
  const all = async (...args: string[]) => samples((await runTool('profile', ['--json', ...args])).messages);
  const pid = String(spinning.pid);
  const [slow, timed, { there, elsewhere }] = await Promise.all([
    all('-I', '-C', '0', '-F', '20', '3'),
    all('-I', '-C', '0', '-c', '50000000', '3'),
    watch('profile', { there: ['--json', '-C', '0', '-p', pid], elsewhere: ['--json', '-C', '1', '-p', pid] }, () =>
      ranLonger(spinning.pid, enough),
    ),
  ]);
  assert.ok(total(slow) >= 50 && total(slow) <= 70, `${total(slow)} samples of 3 s at 20 Hz`);
  assert.ok(total(timed) >= 50 && total(timed) <= 70, `${total(timed)} samples of 3 s, each after 50 ms`);
  assert.ok(total(samples(there.messages)) > 0);
  assert.deepEqual(samples(elsewhere.messages), []);
});

test('an unknown processor is a usage error', async () => {
  const { code, stderr }: ToolResult = await runTool('profile', ['-C', '100000', '1']);
  assert.equal(code, 2, stderr);
});

test('folded lines and a flame graph have the names as well', async (t) => {
  using place = new TemporaryDirectory();
  const program = stacksProgram(t, place);
  if (program === undefined) {
    return;
  }
  await using spinning = startCommand([program, 'spin', '1000']);
  const [flame, speedscope] = [join(place.path, 'flame.svg'), join(place.path, 'speedscope.json')];
  const files = ['--flame', flame, '--speedscope', speedscope];
  const [{ code, stdout }, offsets] = await Promise.all([
    runTool('profile', ['-f', '-p', String(spinning.pid), ...files, '1']),
    runTool('profile', ['-s', '-A', '-p', String(spinning.pid), '1']),
  ]);
  assert.equal(code, 0);
  assert.match(stdout, /^stacks;(.*;)?main;spin_in_here \d+$/m);
  assert.ok(stdout.split('\n').every((line) => line === '' || /^[^;]+(;[^;]+)* \d+$/.test(line)));
  assert.match(offsets.stdout, /^ {4}0x[0-9a-f]+ spin_in_here\+0x[0-9a-f]+\n {4}0x[0-9a-f]+ main\+0x[0-9a-f]+$/m);
  assert.match(readFileSync(flame, 'utf8'), /data-n="spin_in_here"/);
  const { profiles, shared } = JSON.parse(readFileSync(speedscope, 'utf8'));
  const sum = stdout.split('\n').reduce((weight, line) => weight + Number(/ (\d+)$/.exec(line)?.[1] ?? 0), 0);
  assert.equal(profiles[0].endValue, sum);
  assert.ok(shared.frames.some(({ name }: { name: string }) => name === 'spin_in_here'));
});

/** A file that somebody else leaves behind. */
class OwnFile implements Disposable {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  [Symbol.dispose](): void {
    spawnSync('rm', ['-f', this.path]);
  }
}
