import { existsSync, readdirSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import test, { type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { kernelsFromEnvironment } from './fetch.ts';
import { type Guest, GuestError } from './guest.ts';
import { type GuestTest, Report } from './report.ts';
import { onCi, startOrSkip } from './start-or-skip.ts';

const built = join(import.meta.dirname, '..');
const folders = ['kernel', 'tools'].map((folder) => join(built, folder));
const minute = 60_000;
/** Tests that take so many milliseconds say so: the subtest on the host takes no time. */
const slow = 1000;
/** For all tests of one kernel, for one file, and between two ends of tests. */
const limits = { kernel: 60 * minute, file: 20 * minute, silence: 5 * minute };

for (const kernel of kernelsFromEnvironment()) {
  test(`kernel ${kernel}`, async (t) => {
    const files = testFiles();
    if (files.length === 0) throw new Error(`no test to run in ${folders.join(', ')}${filterNote()}`);
    await using guest = await startOrSkip(t, { kernel, memory: 2048 });
    if (guest) await runInGuest(t, guest, kernel, files);
  });
}

/** Runs the files with the guest's `node --test` and makes each test there a subtest here. */
async function runInGuest(t: TestContext, guest: Guest, kernel: string, files: string[]): Promise<void> {
  const subtests: Promise<void>[] = [];
  const silence = new AbortController();
  const report = new Report((result) => {
    subtests.push(retell(t, result));
  });
  const onSilence = () => {
    silence.abort(new Error(`nothing for ${limits.silence / minute} minutes from ${report.current}`));
  };
  let timer = setTimeout(onSilence, limits.silence);
  const options = [
    ...['--test', '--test-concurrency=1', `--test-timeout=${limits.file}`],
    ...[
      `--test-reporter=${pathToFileURL(join(import.meta.dirname, 'reporter.js'))}`,
      '--test-reporter-destination=stdout',
    ],
  ];
  const started = performance.now();
  try {
    const { code, stderr } = await guest.exec([process.execPath, ...options, ...files], {
      cwd: join(built, '..'),
      env: { KSCOPE_IN_VM: '1', KSCOPE_VM_KERNEL: kernel, ...(onCi && { CI: 'true' }) },
      timeout: limits.kernel,
      signal: silence.signal,
      onStdout: (chunk) => {
        clearTimeout(timer);
        timer = setTimeout(onSilence, limits.silence);
        report.push(chunk);
      },
    });
    const said = `exit status ${code}\n${report.noise}${stderr}`;
    if (report.tests === 0) throw new Error(`the guest ran no test: ${said}`);
    const silent = files.filter((file) => !report.files.has(file));
    if (silent.length > 0)
      throw new Error(`no result from ${silent.map((file) => basename(file)).join(', ')}: ${said}`);
    if (code !== 0 && report.failed === 0) throw new Error(`all tests passed and yet: ${said}`);
  } catch (error) {
    if (error instanceof GuestError) throw new GuestError(`while it ran ${report.current}: ${error.message}`);
    throw error;
  } finally {
    clearTimeout(timer);
    await Promise.all(subtests);
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  t.diagnostic(`${report.tests} tests in ${seconds} s on ${guest.kernel.release}`);
}

/** A subtest with the name, the outcome and the messages of a test in the guest. */
function retell(t: TestContext, { file, path, outcome, reason, error, output, duration }: GuestTest): Promise<void> {
  const name = [relative(built, file), ...path].join(' > ');
  const why = reason || true;
  const options = { ...(outcome === 'skipped' && { skip: why }), ...(outcome === 'todo' && { todo: why }) };
  return t.test(name, options, (subtest) => {
    if (duration >= slow) subtest.diagnostic(`${(duration / 1000).toFixed(1)} s in the guest`);
    if (outcome !== 'failed') return;
    const printed = output ? `\noutput of the file:\n${output}` : '';
    const failure = new Error(`${error?.message}${printed}`);
    // Where it failed in the guest is of use, where it is retold is not.
    failure.stack = `${error?.stack || error?.message}${printed}`;
    throw failure;
  });
}

// The files that are known to hold where everything takes ten times as long. The others run on the host only, until their
// limits have been looked at; KSCOPE_VM_TESTS= runs them all.
const usual = [
  'kernel/',
  ...[
    'bashreadline',
    'biolatency',
    'bitesize',
    'cpudist',
    'execsnoop',
    'exitsnoop',
    'gethostlatency',
    'offcputime',
  ].map((name) => `tools/${name}.`),
  'tools/opensnoop.',
  'tools/tcpconnect.',
].join(',');

function testFiles(): string[] {
  const wanted = (process.env.KSCOPE_VM_TESTS ?? usual).split(',');
  const files = folders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder, { encoding: 'utf8', recursive: true }).map((name) => join(folder, name)));
  return files
    .filter((file) => file.endsWith('.test.js') && wanted.some((part) => relative(built, file).includes(part)))
    .sort();
}

function filterNote(): string {
  return process.env.KSCOPE_VM_TESTS ? ` whose name contains '${process.env.KSCOPE_VM_TESTS}'` : '';
}
