import { basename } from 'node:path';

/** A line of the reporter that runs in the guest. */
export type ReportLine =
  /** Told with the result, in the order of the file; the name belongs to the tests inside. */
  | { type: 'start'; file: string; name: string; nesting: number }
  /** Told at once. */
  | { type: 'running'; file: string; name: string; nesting: number }
  | { type: 'output'; file: string; text: string }
  /** What a test said with `t.diagnostic`. */
  | { type: 'note'; file: string; text: string }
  | {
      type: 'end';
      file: string;
      name: string;
      nesting: number;
      /** Milliseconds. */
      duration: number;
      passed: boolean;
      suite: boolean;
      skip?: string;
      todo?: string;
      error?: { message: string; stack: string };
      failureType?: string;
    };

/** One test of the guest. */
export interface GuestTest {
  file: string;
  /** Its name behind those of the tests and suites around it. */
  path: string[];
  outcome: 'passed' | 'failed' | 'skipped' | 'todo';
  /** Of a skipped test or one to do. */
  reason: string;
  error?: { message: string; stack: string };
  /** What the file had printed last; only for a failure. */
  output?: string;
  duration: number;
}

const keptOutput = 4000;

/** Reads the lines of the guest's reporter, in pieces of any size, and tells each test when it has ended. */
export class Report {
  readonly #onTest: (test: GuestTest) => void;
  readonly #open: string[] = [];
  readonly #running: string[] = [];
  readonly #output = new Map<string, string>();
  readonly #files = new Set<string>();
  readonly #decoder = new TextDecoder();
  #rest = '';
  /** Lines that are not the reporter's. */
  noise = '';
  /** What the tests said beside their results. */
  readonly notes: string[] = [];
  tests = 0;
  failed = 0;

  constructor(onTest: (test: GuestTest) => void) {
    this.#onTest = onTest;
  }

  /** The files that told of a test. */
  get files(): ReadonlySet<string> {
    return this.#files;
  }

  /** The file and the names of the test that started last, for the message when nothing comes after it. */
  get current(): string {
    return this.#running.join(' > ') || 'no test';
  }

  push(chunk: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#take(line);
  }

  #take(text: string): void {
    let line: ReportLine;
    try {
      line = JSON.parse(text);
    } catch {
      this.noise = `${this.noise}${text}\n`.slice(-keptOutput);
      return;
    }
    if (line.type === 'output') {
      this.#output.set(line.file, ((this.#output.get(line.file) ?? '') + line.text).slice(-keptOutput));
      return;
    }
    if (line.type === 'note') {
      this.notes.push(line.text);
      return;
    }
    if (line.type === 'running') {
      const isFile = line.nesting === 0 && line.name === line.file;
      this.#running.splice(isFile ? 0 : line.nesting + 1, Infinity, isFile ? basename(line.file) : line.name);
      return;
    }
    this.#open.length = Math.min(this.#open.length, line.nesting);
    this.#open[line.nesting] = line.name;
    if (line.type === 'end') this.#end(line);
  }

  #end(line: ReportLine & { type: 'end' }): void {
    const { file, name, nesting, duration } = line;
    // Runners name a test after its file when the file holds none, or ends badly apart from its tests.
    const isFile = nesting === 0 && name !== '' && (name === file || file.endsWith(`/${name}`));
    if (isFile && line.passed && this.#files.has(file)) return;
    // The failures inside have been told.
    if (!line.passed && line.failureType === 'subtestsFailed') return;
    if (line.suite && line.passed && line.skip === undefined) return;
    const empty = isFile && line.passed;
    const skipped = line.skip !== undefined;
    const todo = line.todo !== undefined;
    const failed = !skipped && !todo && (empty || !line.passed);
    this.tests += empty ? 0 : 1;
    this.failed += failed ? 1 : 0;
    this.#files.add(file);
    const error = empty ? { message: 'this file holds no test', stack: '' } : line.error;
    const output = this.#output.get(file);
    this.#onTest({
      ...{ file, path: isFile ? [] : this.#open.slice(0, nesting + 1), duration },
      outcome: skipped ? 'skipped' : todo ? 'todo' : failed ? 'failed' : 'passed',
      reason: [line.skip, line.todo].find((reason) => reason !== undefined && reason !== 'true') ?? '',
      ...(failed && { error: error ?? { message: 'failed', stack: '' } }),
      ...(failed && output && { output }),
    });
  }
}
