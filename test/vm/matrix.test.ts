import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import test, { type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { readObjectSpec } from '../../lib/bpf/object-spec.ts';
import { Registry } from '../../lib/cli/registry.ts';
import { type KernelName, kernelsFromEnvironment } from './fetch.ts';
import { type Guest, GuestError } from './guest.ts';
import { repository } from './paths.ts';
import { type GuestTest, Report } from './report.ts';
import { onCi, startOrSkip } from './start-or-skip.ts';
import { afterRerun, cellsOf, type KernelResults, markdown, type Told, totalOf } from './table.ts';

const built = join(import.meta.dirname, '..');
const folders = ['kernel', 'tools', 'differential'].map((folder) => join(built, folder));
const minute = 60_000;
/** Tests that take so many milliseconds say so: the subtest on the host takes no time. */
const slow = 1000;
/** For all tests of one kernel, for one file, and between two ends of tests. */
const limits = { kernel: 50 * minute, file: 20 * minute, silence: 5 * minute };
/** Guests at a time. */
const guests = Number(process.env.KSCOPE_VM_GUESTS ?? 2);

/**
 * What runs unless kernels are asked for: these everywhere, and on one kernel the tests of the kernel's side, those of the
 * tools that hook functions, and the comparisons with other tools. With kernels, everything runs on them.
 */
const closer = '6.1';
const smoke = ['kernel/conformance.', 'kernel/library.', 'kernel/alternatives.', 'kernel/at-once.'];
const scope = process.env.KSCOPE_VM_SCOPE ?? (process.env.KSCOPE_VM_KERNELS === undefined ? 'usual' : 'whole');

/** Nothing of the kernel's: what these look at is the same everywhere. */
const ours = ['kernel/view.', 'kernel/descriptors.', 'kernel/output-descriptors.', 'kernel/hostile-names.'];

/** What guests have and other machines may lack: processors whose frequency can be set, and that virtualize. */
const inGuests = ['tools/cpufreq.', 'tools/kvmexit.'];

/** With hooks of tools, and nothing else loads them. */
const modules = ['kvm_amd'];

/** Of a kernel: what its guests have told. */
const told = new Map<KernelName, Told>();

// The one with most tests begins, in several guests, so that none is much longer than the others.
const kernels = kernelsFromEnvironment().sort((a, b) => Number(b === closer) - Number(a === closer));
test('matrix', { concurrency: guests }, async (t) => {
  const runs = kernels.flatMap((kernel) => {
    const files = testFiles(kernel);
    const parts = scope === 'usual' && kernel === closer && process.env.KSCOPE_VM_TESTS === undefined ? 2 : 1;
    return Array.from({ length: parts }, (_, part) => {
      const name = `kernel ${kernel}${parts > 1 ? `, part ${part + 1} of ${parts}` : ''}`;
      const share = files.filter((_, i) => i % parts === part);
      return t.test(name, (one) => runKernel(one, kernel, share));
    });
  });
  await Promise.all(runs);
  writeTable(t);
});

async function runKernel(t: TestContext, kernel: KernelName, files: string[]): Promise<void> {
  const quick = scope !== 'whole';
  if (files.length === 0) throw new Error(`no test to run in ${folders.join(', ')}${filterNote()}`);
  await using guest = await startOrSkip(t, { kernel, memory: 2048 });
  if (guest) await runInGuest(t, guest, kernel, files, quick);
}

/** Which tool works on which kernel, by what hooks: for people in .cache/matrix.md, for programs in .cache/matrix.json. */
function writeTable(t: TestContext): void {
  const place = join(repository, '.cache');
  const file = join(place, 'matrix-tests.json');
  const { mtimeMs: build } = statSync(join(repository, 'dist/.fresh'));
  let all: Readonly<Partial<Record<KernelName, Told>>> = Object.fromEntries(told);
  if (process.env.KSCOPE_VM_TESTS !== undefined) {
    // Some of the tests tell too little of a tool, but with what the others told of the same build it is all.
    const before = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
    if (before?.build !== build) return;
    all = Object.fromEntries(
      (Object.entries(before.all) as [KernelName, Told][]).map(([kernel, of]) => {
        const again = told.get(kernel);
        return [kernel, again === undefined ? of : afterRerun(of, again)];
      }),
    );
  }
  if (told.size === 0) return;
  const tools = new Registry().names();
  const results = (Object.entries(all) as [KernelName, Told][])
    .map(([kernel, of]): KernelResults => ({ kernel, release: of.release, tools: cellsOf(of, tools) }))
    .sort((a, b) => a.release.localeCompare(b.release, undefined, { numeric: true }));
  mkdirSync(place, { recursive: true });
  writeFileSync(file, JSON.stringify({ build, all }));
  writeFileSync(join(place, 'matrix.json'), `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(join(place, 'matrix.md'), markdown(results));
  for (const { release, tools } of results) {
    t.diagnostic(`tools on ${release}: ${totalOf(tools)}`);
  }
  t.diagnostic('each tool on each kernel: .cache/matrix.md');
}

/** Runs the files with the guest's `node --test` and makes each test there a subtest here. */
async function runInGuest(
  t: TestContext,
  guest: Guest,
  kernel: KernelName,
  files: string[],
  quick: boolean,
): Promise<void> {
  const subtests: Promise<void>[] = [];
  const tests: GuestTest[] = [];
  const silence = new AbortController();
  const report = new Report((result) => {
    tests.push(result);
    subtests.push(retell(t, kernel, result));
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
  await guest.exec(['modprobe', '-a', ...modules]);
  const started = performance.now();
  try {
    const { code, stderr } = await guest.exec([guest.node, ...options, ...files], {
      cwd: join(built, '..'),
      env: {
        ...{ KSCOPE_IN_VM: '1', KSCOPE_VM_KERNEL: kernel, KSCOPE_VM_SCOPE: quick ? 'smoke' : 'whole' },
        ...(onCi && { CI: 'true' }),
      },
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
    const before = told.get(kernel);
    told.set(kernel, {
      release: guest.kernel.release,
      tests: [
        ...(before?.tests ?? []),
        ...tests.map(({ file, path, outcome, reason }) => ({ file, path, outcome, reason })),
      ],
      notes: [...(before?.notes ?? []), ...report.notes],
    });
    await Promise.all(subtests);
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  t.diagnostic(`${report.tests} tests in ${seconds} s on ${guest.kernel.release}`);
}

/** A subtest with the name, the outcome and the messages of a test in the guest. */
function retell(t: TestContext, kernel: KernelName, result: GuestTest): Promise<void> {
  const { file, path, outcome, reason, error, output, duration } = result;
  const name = [`${kernel} ${relative(built, file)}`, ...path].join(' > ');
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

function testFiles(kernel: KernelName): string[] {
  const wanted = process.env.KSCOPE_VM_TESTS?.split(',') ?? usualFiles(kernel);
  const unwanted = process.env.KSCOPE_VM_TESTS === undefined && scope !== 'whole' ? ours : [];
  const has = (file: string, parts: readonly string[]) => parts.some((part) => relative(built, file).includes(part));
  const files = folders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder, { encoding: 'utf8', recursive: true }).map((name) => join(folder, name)));
  return files.filter((file) => file.endsWith('.test.js') && has(file, wanted) && !has(file, unwanted)).sort();
}

function usualFiles(kernel: KernelName): readonly string[] {
  if (scope === 'whole') return [''];
  return scope === 'usual' && kernel === closer ? ['kernel/', 'differential/', ...atFunctions(), ...inGuests] : smoke;
}

/** Tests of the tools that hook functions of the kernel: what those are called and do differs most between kernels. */
function atFunctions(): string[] {
  const objects = join(built, '../bpf/x86');
  return readdirSync(objects)
    .filter((file) =>
      readObjectSpec(readFileSync(join(objects, file)), file).programs.some(({ section }) =>
        /^(fentry|fexit|fmod_ret|k(ret)?probe)\b/.test(section),
      ),
    )
    .map((file) => `tools/${file.replace('.bpf.o', '.')}`);
}

function filterNote(): string {
  return process.env.KSCOPE_VM_TESTS ? ` whose name contains '${process.env.KSCOPE_VM_TESTS}'` : '';
}
