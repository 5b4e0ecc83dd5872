import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { after } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fetchKernel, kernelsFromEnvironment } from './fetch.ts';
import { ExecTimeout, GuestError } from './guest.ts';
import { startOrSkip } from './start-or-skip.ts';

const kernel = kernelsFromEnvironment()[0] ?? '6.1';

// Guests of other processes must not be taken for files that these left behind.
const temporary = mkdtempSync(join(tmpdir(), 'kscope-test-'));
process.env.TMPDIR = temporary;
after(() => rmSync(temporary, { recursive: true }));

test('a guest runs commands', async (t) => {
  await using guest = await startOrSkip(t, { kernel, append: 'for.test=1' });
  if (!guest) return;

  await t.test('exit status, stdout, stderr, environment, directory, stdin', async () => {
    const script = 'echo "$NAME in $PWD"; cat; echo oops >&2; exit 7';
    const env = { NAME: `it's "quoted" $HOME` };
    const result = await guest.exec(['sh', '-c', script], { env, cwd: '/usr/lib', input: 'line\n' });
    assert.deepEqual(result, { code: 7, stdout: `it's "quoted" $HOME in /usr/lib\nline\n`, stderr: 'oops\n' });
  });

  await t.test('a missing command is status 127', async () => {
    const { code, stderr } = await guest.exec(['/no/such/command']);
    assert.equal(code, 127);
    assert.match(stderr, /No such file/);
  });

  await t.test('the kernel asked for, with the options asked for', async () => {
    const { stdout } = await guest.exec(['sh', '-c', 'uname -r; cat /proc/cmdline']);
    const [release, options] = stdout.split('\n');
    assert.equal(release, guest.kernel.release);
    assert.match(options ?? '', / for\.test=1$/);
  });

  await t.test('what tools look for is there', async () => {
    const { stdout } = await guest.exec(['cat', '/proc/mounts']);
    const mounts = new Map(stdout.split('\n').map((line) => line.split(' ').slice(1, 3) as [string, string]));
    const expected = {
      ...{ '/sys/fs/cgroup': 'cgroup2', '/sys/fs/bpf': 'bpf', '/sys/kernel/tracing': 'tracefs' },
      ...{ '/sys/kernel/debug': 'debugfs', '/sys/kernel/security': 'securityfs' },
      ...{ '/mnt/ext4': 'ext4', '/mnt/xfs': 'xfs', '/tmp': 'tmpfs', '/dev/pts': 'devpts', '/dev/shm': 'tmpfs' },
    };
    for (const [path, type] of Object.entries(expected)) assert.equal(mounts.get(path), type, path);
    const probe = [
      'ulimit -l',
      'test -s /sys/kernel/btf/vmlinux && echo btf',
      'ls /.dockerenv 2>/dev/null',
      'modprobe dummy && test -d /sys/module/dummy && echo module',
      'grep -q CONFIG_BPF_SYSCALL=y /boot/config-$(uname -r) && echo config',
      'cat /sys/class/net/lo/carrier',
      'mount /mnt/btrfs && stat -f -c %T /mnt/btrfs',
    ];
    const found = await guest.exec(['sh', '-c', probe.join('\n')]);
    assert.equal(found.stdout, 'unlimited\nbtf\nmodule\nconfig\n1\nbtrfs\n');
  });

  await t.test('this Node and this file are at their places', async () => {
    const code = `import(${JSON.stringify(import.meta.filename)}.replace('guest.test', 'shell')).then((m) => console.log(m.quote('x')))`;
    const { stdout, stderr } = await guest.exec([process.execPath, '-e', code]);
    assert.equal(stdout, "'x'\n", stderr);
  });

  await t.test('a second is as long as on the host', async () => {
    const times = async () => {
      const { stdout } = await guest.exec(['cat', '/proc/uptime']);
      return [Number.parseFloat(stdout), performance.now() / 1000] as const;
    };
    const [inside, outside] = await times();
    await delay(2000);
    const [laterInside, laterOutside] = await times();
    const ratio = (laterInside - inside) / (laterOutside - outside);
    assert.ok(ratio > 0.6 && ratio < 1.6, `${ratio}`);
  });

  await t.test('the host keeps its files', async () => {
    const file = join(dirname(process.execPath), 'written-by-a-guest');
    const { code, stderr } = await guest.exec(['touch', file]);
    assert.equal(code, 0, stderr);
    assert.equal(existsSync(file), false);
  });

  await t.test('commands run side by side', async () => {
    await guest.exec(['mkfifo', '/run/a-fifo']);
    const [reader, writer] = await Promise.all([
      guest.exec(['cat', '/run/a-fifo']),
      guest.exec(['sh', '-c', 'echo through > /run/a-fifo']),
    ]);
    assert.deepEqual([reader.stdout, writer.code], ['through\n', 0]);
  });

  await t.test('output comes while the command runs, and an interrupt is SIGINT', async () => {
    const interrupt = new AbortController();
    const script = 'trap "echo caught; exit 3" INT; echo listening; sleep 1234 & wait';
    const { code, stdout } = await guest.exec(['bash', '-c', script], {
      interrupt: interrupt.signal,
      onStdout: (chunk) => {
        if (chunk.includes('listening')) interrupt.abort();
      },
    });
    assert.deepEqual([code, stdout], [3, 'listening\ncaught\n']);
  });

  await t.test('a command that takes too long is killed with its children', async () => {
    const script = 'trap "" TERM; echo before; sleep 1234 & wait; sleep 1234';
    await assert.rejects(guest.exec(['sh', '-c', script], { timeout: 300 }), (error) => {
      assert.ok(error instanceof ExecTimeout);
      assert.match(error.message, /no end after 0\.3 s; it said:\nbefore$/);
      return true;
    });
    // Each has its signal by now; none may be there for long.
    const gone = 'for i in $(seq 50); do pgrep -fx "sleep 1234" || exit 0; sleep 0.1; done; exit 1';
    const { code, stdout } = await guest.exec(['sh', '-c', gone]);
    assert.equal(code, 0, `still there: ${stdout}`);
  });

  await t.test('an abort ends the command with the reason', async () => {
    const reason = new Error('enough');
    const abort = new AbortController();
    const running = guest.exec(['sh', '-c', 'echo started; exec sleep 1234'], {
      signal: abort.signal,
      onStdout: () => abort.abort(reason),
    });
    await assert.rejects(running, reason);
  });

  await t.test('a kernel that panics is an error with the last lines of its console', async () => {
    await assert.rejects(guest.exec(['sh', '-c', 'echo c > /proc/sysrq-trigger; sleep 60']), (error) => {
      assert.ok(error instanceof GuestError);
      assert.match(error.message, /the guest died/);
      assert.match(error.message, /Kernel panic - not syncing: sysrq triggered crash/);
      return true;
    });
    await assert.rejects(guest.exec(['true']), GuestError);
  });

  await guest.stop();
  assert.deepEqual(readdirSync(temporary), [], 'no files are left');
});

test('a guest that cannot boot is an error with its console', async (t) => {
  try {
    await using guest = await startOrSkip(t, { kernel, append: 'rdinit=/no/init' });
    assert.equal(guest, undefined, 'it started without an init');
  } catch (error) {
    assert.ok(error instanceof GuestError, String(error));
    assert.match(error.message, /the guest died[\s\S]*Kernel panic/);
  }
  assert.deepEqual(readdirSync(temporary), [], 'no files are left');
});

test('a guest whose clock stays wrong is an error', async (t) => {
  try {
    await using guest = await startOrSkip(t, { kernel, append: 'tsc_early_khz=519000' });
    assert.equal(guest, undefined, 'it started with a second that is none');
  } catch (error) {
    assert.ok(error instanceof GuestError, String(error));
    assert.match(error.message, /^the guest's clock counts \d+ kHz as a second, and \d+ kHz are one$/);
  }
  assert.deepEqual(readdirSync(temporary), [], 'no files are left');
});

test('a kernel that nobody has is refused by its name', async () => {
  await assert.rejects(fetchKernel('6.1; true'), RangeError);
});
