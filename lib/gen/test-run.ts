import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** A part of the test suite: what is below dist/test/NAME. */
interface Part {
  readonly name: string;
  /** Files at a time: tests that watch the whole machine would see each other. */
  readonly concurrency: number;
  /** Belongs to the quick check. */
  readonly quick: boolean;
  /** Longest that one file may take, in minutes. */
  readonly limit: number;
}

const parallel = availableParallelism();
const parts: readonly Part[] = [
  { name: 'unit', concurrency: parallel, quick: true, limit: 2 },
  { name: 'command', concurrency: parallel, quick: false, limit: 2 },
  { name: 'screen', concurrency: 1, quick: false, limit: 5 },
  { name: 'package', concurrency: 1, quick: false, limit: 10 },
  { name: 'kernel', concurrency: 1, quick: false, limit: 20 },
  { name: 'tools', concurrency: 1, quick: false, limit: 10 },
  { name: 'differential', concurrency: 1, quick: false, limit: 10 },
  { name: 'vm', concurrency: 1, quick: false, limit: 52 },
];

interface Result {
  readonly name: string;
  readonly passed: number;
  /** Names of the tests that failed. */
  readonly failed: readonly string[];
  /** Those that failed first and passed when they were run again. */
  readonly unsteady?: readonly string[];
  /** Why tests were left out, a reason for each. */
  readonly skipped: readonly string[];
  readonly seconds: number;
}

/** Runs the tests of a build that is fresh, prints a summary. @returns the exit status */
export async function test(scope: 'check' | 'all'): Promise<number> {
  const end = new AbortController();
  // Tests have processes and virtual machines of their own, which must not outlive us.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => end.abort());
  }
  const results = [lint(), strays()];
  for (const part of parts) {
    if ((scope === 'all' || part.quick) && !end.signal.aborted) {
      results.push(await runTwice(part, end.signal));
    }
  }
  process.stdout.write(summary(results));
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
  const tests = join(root, 'dist/test');
  const known = new Set(parts.map(({ name }) => name));
  const failed = testFiles(tests)
    .map((file) => relative(tests, file))
    .filter((file) => !known.has(file.slice(0, file.indexOf('/'))));
  return { name: 'strays', passed: 1 - Math.sign(failed.length), failed, skipped: [], seconds: 0 };
}

/**
 * Runs a part, and once more the files in which a test failed: tests that watch a whole machine can be disturbed by
 * it. What passes then is no failure, but it is named, and has to be looked into.
 */
async function runTwice(part: Part, signal: AbortSignal): Promise<Result> {
  const first = await runPart(part, signal);
  const files = failedFiles(part.name, first.failed);
  const kernels = first.failed.flatMap((title) => guestTest.exec(title)?.[1] ?? []);
  if (first.failed.length === 0 || files === undefined || signal.aborted) {
    return first;
  }
  process.stdout.write(`Again: ${files.join(', ')}\n`);
  if (part.name === 'vm') {
    process.env.KSCOPE_VM_SCOPE ??= process.env.KSCOPE_VM_KERNELS === undefined ? 'usual' : 'whole';
    process.env.KSCOPE_VM_KERNELS = [...new Set(kernels)].join(',');
    process.env.KSCOPE_VM_TESTS = files.join(',');
  }
  const again = await runPart(part, signal, part.name === 'vm' ? ['matrix.test.js'] : files);
  const seconds = first.seconds + again.seconds;
  return { ...first, failed: again.failed, unsteady: again.failed.length === 0 ? first.failed : [], seconds };
}

// The matrix reports each test of a guest by its kernel and its file there.
const guestTest = /: (\S+) ((?:kernel|tools|differential)\/[\w-]+\.test\.js) > /;

/** The files of failed tests, by their path in their part or in the guest; undefined when one cannot be told. */
function failedFiles(part: string, failed: readonly string[]): string[] | undefined {
  const pattern = /^\w+\/([\w/-]+\.test\.js): /;
  const files = failed.map((title) => (part === 'vm' ? guestTest.exec(title)?.[2] : pattern.exec(title)?.[1]));
  return files.includes(undefined) ? undefined : [...new Set(files.filter((file) => file !== undefined))];
}

async function runPart(
  { name, concurrency, limit }: Part,
  signal: AbortSignal,
  only?: readonly string[],
): Promise<Result> {
  const started = performance.now();
  const folder = join(root, 'dist/test', name);
  const files = only === undefined ? testFiles(folder) : only.map((file) => join(folder, file));
  if (files.length === 0) {
    return { name, passed: 0, failed: [`no tests in test/${name}`], skipped: [], seconds: 0 };
  }
  let passed = 0;
  const failed: string[] = [];
  const skipped: string[] = [];
  const stream = run({ files, concurrency, timeout: limit * 60_000, signal });
  stream.on('test:pass', ({ name: title, details, skip }) => {
    if (skip !== undefined) {
      skipped.push(typeof skip === 'string' ? skip : title);
    } else if (details.type !== 'suite') {
      passed += 1;
    }
  });
  stream.on('test:fail', ({ name: title, details, file }) => {
    // One whose only fault is a test within, which is reported by itself.
    if ((details.error as { failureType?: string }).failureType !== 'subtestsFailed') {
      failed.push(file === undefined ? title : `${relative(join(root, 'dist/test'), file)}: ${title}`);
    }
  });
  await new Promise((resolve, reject) => {
    const report = stream.pipe(new spec());
    report.on('end', resolve);
    report.on('error', reject);
    report.pipe(process.stdout, { end: false });
  });
  return { name, passed, failed, skipped, seconds: since(started) };
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
    return `  ${name.padEnd(8)} ${verdict.padEnd(6)} ${counts}, ${seconds.toFixed(1)} s`;
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
