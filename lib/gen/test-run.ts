import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const tests = join(root, 'dist/test');

/** A part of the test suite: what is below dist/test/NAME. */
interface Part {
  readonly name: string;
  /** Belongs to the quick check. */
  readonly quick: boolean;
  /** Longest that one file may take, in minutes. */
  readonly limit: number;
}

/** Parts whose files run beside each other, so many at a time. */
interface Stage {
  readonly parts: readonly Part[];
  readonly concurrency: number;
}

const parallel = availableParallelism();
// Those that start tools wait for the kernel more than half of the time: two of five seconds are work.
const stages: readonly Stage[] = [
  { parts: [{ name: 'unit', quick: true, limit: 2 }], concurrency: parallel },
  {
    // The longest files come first: later ones would be waited for at the end, with nothing beside them.
    parts: [
      { name: 'kernel', quick: false, limit: 20 },
      { name: 'package', quick: false, limit: 10 },
      { name: 'command', quick: false, limit: 5 },
      { name: 'tools', quick: false, limit: 10 },
      { name: 'differential', quick: false, limit: 10 },
      { name: 'screen', quick: false, limit: 5 },
    ],
    concurrency: parallel + 4,
  },
  // The same tests elsewhere: on other kernels, and with other versions of Node.
  {
    parts: [
      { name: 'vm', quick: false, limit: 75 },
      { name: 'lanes', quick: false, limit: 10 },
    ],
    concurrency: 1,
  },
];
const parts = stages.flatMap((stage) => stage.parts);

const tracing = '/sys/kernel/tracing';

interface Result {
  readonly name: string;
  readonly passed: number;
  /** Names of the tests that failed. */
  readonly failed: readonly string[];
  /** Those that failed first and passed when they were run again. */
  readonly unsteady?: readonly string[];
  /** Why tests were left out, a reason for each. */
  readonly skipped: readonly string[];
  /** From its first result to its last: other parts have run beside it. */
  readonly seconds: number;
}

/** Runs the tests of a build that is fresh, prints a summary. @returns the exit status */
export async function test(scope: 'check' | 'all'): Promise<number> {
  const end = new AbortController();
  // Tests have processes and virtual machines of their own, which must not outlive us.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => end.abort());
  }
  const { NODE_EXTRA_CA_CERTS: certificates } = process.env;
  if (certificates !== undefined) {
    // Node would read them each time that it starts, which doubles its start: npm alone gets them (test/helpers/npm-environment.ts).
    process.env.KSCOPE_NPM_CERTIFICATES = certificates;
    delete process.env.NODE_EXTRA_CA_CERTS;
  }
  if (scope === 'all' && !existsSync(`${tracing}/events`)) {
    // Ours mount it for themselves, and other tracers that they are compared with do not.
    spawnSync('mount', ['-t', 'tracefs', 'tracefs', tracing], { stdio: 'inherit' });
  }
  const started = performance.now();
  const results = [lint(), strays()];
  for (const stage of stages) {
    const wanted = stage.parts.filter((part) => scope === 'all' || part.quick);
    if (wanted.length > 0 && !end.signal.aborted) {
      results.push(...(await runTwice({ ...stage, parts: wanted }, end.signal)));
    }
  }
  process.stdout.write(`${summary(results)}All in ${since(started).toFixed(1)} s.\n`);
  return end.signal.aborted || results.some((result) => result.failed.length > 0) ? 1 : 0;
}

/** Types were checked by the build: a build with wrong types is not fresh. */
function lint(): Result {
  const started = performance.now();
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
  const { status } = spawnSync(process.execPath, [biome, 'check', '--error-on-warnings', '.'], {
    cwd: root,
    stdio: 'inherit',
  });
  const failed = status === 0 ? [] : ['biome check'];
  return { name: 'lint', passed: 1 - failed.length, failed, skipped: [], seconds: since(started) };
}

/** Tests that no part has would never run. */
function strays(): Result {
  const known = new Set(parts.map(({ name }) => name));
  const failed = testFiles(tests)
    .map((file) => relative(tests, file))
    .filter((file) => !known.has(file.slice(0, file.indexOf('/'))));
  return { name: 'strays', passed: 1 - Math.sign(failed.length), failed, skipped: [], seconds: 0 };
}

/**
 * Runs parts, and once more the files in which a test failed, one at a time: tests that watch a whole machine can be
 * disturbed by it. What passes then is no failure, but it is named, and has to be looked into.
 */
async function runTwice({ parts, concurrency }: Stage, signal: AbortSignal): Promise<Result[]> {
  const files = parts.flatMap(({ name }) => testFiles(join(tests, name)));
  const alone = files.filter((file) => runsAlone(sourceOf(file)));
  const together = files.filter((file) => !alone.includes(file));
  const limit = Math.max(...parts.map((part) => part.limit));
  const first = new Results(parts);
  await runFiles(together, { concurrency, limit, signal }, first);
  await runFiles(alone, { concurrency: 1, limit, signal }, first);
  const failed = new Map(first.all.map((result) => [result.name, failedFiles(result.failed)]));
  const again = [...failed.values()].flatMap((files) => files ?? []);
  if (again.length === 0 || signal.aborted) {
    return first.all;
  }
  const names = again.map(({ kernel, file }) => (kernel === undefined ? file : `${kernel} ${file}`));
  process.stdout.write(`Again: ${names.join(', ')}\n`);
  const inGuests = again.filter(({ kernel }) => kernel !== undefined);
  if (inGuests.length > 0) {
    process.env.KSCOPE_VM_SCOPE ??= process.env.KSCOPE_VM_KERNELS === undefined ? 'usual' : 'whole';
    process.env.KSCOPE_VM_KERNELS = [...new Set(inGuests.map(({ kernel }) => kernel))].join(',');
    process.env.KSCOPE_VM_TESTS = [...new Set(inGuests.map(({ file }) => file))].join(',');
  }
  const second = new Results(parts);
  const here = again.flatMap(({ kernel, file }) => (kernel === undefined ? [file] : []));
  const wanted = (inGuests.length === 0 ? here : [matrix, ...here]).map((file) => join(tests, file));
  await runFiles(wanted, { concurrency: 1, limit, signal }, second);
  return first.all.map((result) => {
    const rerun = second.all.find(({ name }) => name === result.name);
    return rerun === undefined || (failed.get(result.name) ?? []).length === 0
      ? result
      : {
          ...result,
          failed: rerun.failed,
          unsteady: rerun.failed.length === 0 ? result.failed : [],
          seconds: result.seconds + rerun.seconds,
        };
  });
}

/** A file in which a test failed: below dist/test here, or there in the guest with a kernel. */
interface FailedFile {
  readonly file: string;
  readonly kernel?: string;
}

/** Runs the tests of guests, and reports each by its kernel and its file there. */
const matrix = 'vm/matrix.test.js';
const guestTest = /: (\S+) ((?:kernel|tools|differential)\/[\w-]+\.test\.js) > /;

/** The files of failed tests; undefined when one cannot be told, or is the matrix, which would take its hour again. */
export function failedFiles(titles: readonly string[]): readonly FailedFile[] | undefined {
  const files = new Map<string, FailedFile>();
  for (const title of titles) {
    const [, kernel, inGuest] = guestTest.exec(title) ?? [];
    const file = inGuest ?? /^(\w+\/[\w/-]+\.test\.js): /.exec(title)?.[1];
    if (file === undefined || file === matrix) {
      return undefined;
    }
    files.set(`${kernel} ${file}`, { file, ...(kernel !== undefined && { kernel }) });
  }
  return [...files.values()];
}

/** What the tests of some parts came to. */
class Results {
  readonly #parts: readonly Part[];
  readonly #passed = new Map<string, number>();
  readonly #failed = new Map<string, string[]>();
  readonly #skipped = new Map<string, string[]>();
  readonly #times = new Map<string, { first: number; last: number }>();

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
  }

  /** The part of a file; of what has none, the first. */
  #partOf(file: string | undefined): string {
    const [folder] = file === undefined ? [] : relative(tests, file).split('/');
    return (this.#parts.find(({ name }) => name === folder) ?? this.#parts[0])?.name ?? '';
  }

  pass(file: string | undefined): void {
    const part = this.#partOf(file);
    this.#passed.set(part, (this.#passed.get(part) ?? 0) + 1);
  }

  fail(file: string | undefined, title: string): void {
    const part = this.#partOf(file);
    const name = file === undefined ? title : `${relative(tests, file)}: ${title}`;
    this.#failed.set(part, [...(this.#failed.get(part) ?? []), name]);
  }

  skip(file: string | undefined, reason: string): void {
    const part = this.#partOf(file);
    this.#skipped.set(part, [...(this.#skipped.get(part) ?? []), reason]);
  }

  /** Notes that a test of the file begins or ends. */
  touch(file: string | undefined): void {
    const part = this.#partOf(file);
    const now = performance.now();
    this.#times.set(part, { first: this.#times.get(part)?.first ?? now, last: now });
  }

  get all(): Result[] {
    return this.#parts.map(({ name }) => {
      const { first, last } = this.#times.get(name) ?? { first: 0, last: 0 };
      return {
        name,
        passed: this.#passed.get(name) ?? 0,
        failed:
          testFiles(join(tests, name)).length === 0 ? [`no tests in test/${name}`] : (this.#failed.get(name) ?? []),
        skipped: this.#skipped.get(name) ?? [],
        seconds: (last - first) / 1000,
      };
    });
  }
}

async function runFiles(
  files: readonly string[],
  { concurrency, limit, signal }: { concurrency: number; limit: number; signal: AbortSignal },
  results: Results,
): Promise<void> {
  if (files.length === 0 || signal.aborted) {
    return;
  }
  const stream = run({ files: [...files], concurrency, timeout: limit * 60_000, signal });
  stream.on('test:dequeue', ({ file, name }) => results.touch(file ?? name));
  stream.on('test:pass', ({ name: title, details, skip, file }) => {
    results.touch(file);
    if (skip !== undefined) {
      results.skip(file, typeof skip === 'string' ? skip : title);
    } else if (details.type !== 'suite') {
      results.pass(file);
    }
  });
  stream.on('test:fail', ({ name: title, details, file }) => {
    results.touch(file);
    // One whose only fault is a test within, which is reported by itself.
    if ((details.error as { failureType?: string }).failureType !== 'subtestsFailed') {
      results.fail(file, title);
    }
  });
  await new Promise((resolve, reject) => {
    const report = stream.pipe(new spec());
    report.on('end', resolve);
    report.on('error', reject);
    report.pipe(process.stdout, { end: false });
  });
}

/**
 * Whether the tests of a file watch or disturb all that runs on the machine, so that no others may run meanwhile: it says
 * so, and why, in a line of its own: `// Alone: why`.
 */
export function runsAlone(source: string): boolean {
  return /^\/\/ Alone: \S/m.test(source);
}

/** What a compiled test was compiled from. */
function sourceOf(file: string): string {
  return readFileSync(join(root, 'test', relative(tests, file).replace(/\.js$/, '.ts')), 'utf8');
}

function testFiles(directory: string): readonly string[] {
  if (!existsSync(directory)) {
    return [];
  }
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.js'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function summary(results: readonly Result[]): string {
  const lines = results.map(({ name, passed, failed, skipped, seconds }) => {
    const verdict = failed.length > 0 ? 'FAILED' : 'ok';
    const counts = `${passed} passed, ${failed.length} failed, ${skipped.length} skipped`;
    return `  ${name.padEnd(12)} ${verdict.padEnd(6)} ${counts}, ${seconds.toFixed(1)} s`;
  });
  const failures = results.flatMap(({ failed }) => failed.map((title) => `  ${title}`));
  const unsteady = results.flatMap((result) => (result.unsteady ?? []).map((title) => `  ${title}`));
  const reasons = results.flatMap(({ name, skipped }) =>
    [...new Set(skipped)].map((reason) => {
      const count = skipped.filter((other) => other === reason).length;
      return `  ${name}: ${reason}${count === 1 ? '' : ` (${count} tests)`}`;
    }),
  );
  return [
    ...['Summary:', ...lines],
    ...(reasons.length > 0 ? ['Skipped:', ...reasons] : []),
    ...(unsteady.length > 0 ? ['Failed at first, passed when run again:', ...unsteady] : []),
    ...(failures.length > 0 ? ['Failed:', ...failures] : []),
    '',
  ].join('\n');
}

function since(started: number): number {
  return (performance.now() - started) / 1000;
}
