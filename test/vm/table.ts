import { basename } from 'node:path';
import type { GuestTest } from './report.ts';

/** What became of a tool on a kernel. */
export interface Cell {
  /** 'untested' when the run had no test of it. */
  readonly outcome: 'pass' | 'unsupported' | 'fail' | 'untested';
  /** The hooks that it used without options: none when it only reads; absent when no test told of them. */
  readonly hooks?: readonly string[];
  /** What the probe said of an unsupported one. */
  readonly reason?: string;
  /** Names of the tests that failed. */
  readonly failed?: readonly string[];
}

/** What the guests of a kernel have told. */
export interface Told {
  readonly release: string;
  readonly tests: readonly Pick<GuestTest, 'file' | 'path' | 'outcome' | 'reason'>[];
  readonly notes: readonly string[];
}

/** A kernel of the matrix with all that was tested on it. */
export interface KernelResults {
  readonly kernel: string;
  readonly release: string;
  readonly tools: Readonly<Record<string, Cell>>;
}

/** How a test tells the matrix which hooks a tool has chosen. */
export function hooksNote(tool: string, hooks: readonly { readonly hook: string }[]): string {
  return `hooks of ${tool}: ${[...new Set(hooks.map(({ hook }) => hook))].join(', ')}`;
}

/** What was told after some files ran again: in the place of what they had told before. */
export function afterRerun(before: Told, again: Told): Told {
  const files = new Set(again.tests.map(({ file }) => file));
  return {
    release: again.release,
    tests: [...before.tests.filter(({ file }) => !files.has(file)), ...again.tests],
    notes: [...before.notes, ...again.notes],
  };
}

/**
 * Sorts the results of a guest by tools, of which there is a cell for each. A tool's tests are those of the conformance
 * tests that bear its name, and its own file; it is unsupported when the former skipped it, for which a probe has to
 * have a reason.
 */
export function cellsOf({ tests, notes }: Told, tools: readonly string[]): Record<string, Cell> {
  const hooks = new Map(
    notes.flatMap((note) => {
      const [, tool, list] = /^hooks of (\S+): (.*)$/.exec(note) ?? [];
      return tool === undefined || list === undefined ? [] : [[tool, list === '' ? [] : list.split(', ')] as const];
    }),
  );
  const own = new Map<string, Told['tests'][number][]>(tools.map((tool) => [tool, []]));
  const add = (tool: string, test: Told['tests'][number]) => own.set(tool, [...(own.get(tool) ?? []), test]);
  for (const test of tests) {
    const name = basename(test.file, '.test.js');
    if (test.file.includes('/tools/')) add(name, test);
    // The names of its tests are those of commands, but for those with spaces.
    else if (['conformance', 'commands'].includes(name) && !test.path[0]?.includes(' ')) add(test.path[0] ?? '', test);
  }
  return Object.fromEntries(
    [...own].sort(([a], [b]) => (a < b ? -1 : 1)).map(([tool, all]) => [tool, cell(tool, all, hooks.get(tool))]),
  );
}

function cell(tool: string, tests: Told['tests'], of: readonly string[] | undefined): Cell {
  const hooks = of === undefined ? {} : { hooks: of };
  const failed = tests.filter(({ outcome }) => outcome === 'failed').map(({ path }) => path.join(' > '));
  const skipped = tests.find(({ path, outcome }) => outcome === 'skipped' && path.length === 1 && path[0] === tool);
  if (failed.length > 0) return { outcome: 'fail', ...hooks, failed };
  if (skipped !== undefined) return { outcome: 'unsupported', reason: skipped.reason };
  return { outcome: tests.some(({ outcome }) => outcome === 'passed') ? 'pass' : 'untested', ...hooks };
}

/** How many tools came to what on a kernel: '110 pass, 9 unsupported'. */
export function totalOf(tools: KernelResults['tools']): string {
  return ['pass', 'unsupported', 'fail', 'untested']
    .map((outcome) => [Object.values(tools).filter((one) => one.outcome === outcome).length, outcome] as const)
    .filter(([count]) => count > 0)
    .map(([count, outcome]) => `${count} ${outcome}`)
    .join(', ');
}

/** The table of all kernels as Markdown, a line for each tool. */
export function markdown(kernels: readonly KernelResults[]): string {
  const tools = [...new Set(kernels.flatMap((kernel) => Object.keys(kernel.tools)))].sort();
  const line = (cells: readonly string[]) => `| ${cells.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`;
  const rows = tools.map((tool) => line([tool, ...kernels.map((kernel) => text(kernel.tools[tool]))]));
  const totals = kernels.map(({ tools: cells }) => totalOf(cells));
  return [
    line(['tool', ...kernels.map(({ release }) => release)]),
    line(['---', ...kernels.map(() => '---')]),
    ...rows,
    line(['all', ...totals]),
    '',
  ].join('\n');
}

function text(cell: Cell | undefined): string {
  switch (cell?.outcome) {
    case undefined:
      return '';
    case 'pass':
      return `pass: ${cell.hooks === undefined ? 'hooks not told' : cell.hooks.join(', ') || 'no hook, it only reads'}`;
    case 'unsupported':
      return `unsupported: ${cell.reason}`;
    case 'fail':
      return `FAIL: ${cell.failed?.join('; ')}`;
    default:
      return 'untested';
  }
}
