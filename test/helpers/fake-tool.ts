import { skeleton } from '../../lib/bpf/skeleton.ts';
import type { Column, Message, Row, StatsMessage } from '../../lib/model/message.ts';
import { type SemanticType, semanticType } from '../../lib/model/types.ts';
import { commonOptions } from '../../lib/shapes/common-options.ts';
import type { RunContext, Tool, ToolColumn } from '../../lib/shapes/definition.ts';
import { flag, integer, type Options } from '../../lib/shapes/options.ts';

/** A semantic type that has to exist. */
export function type(name: string): SemanticType {
  const found = semanticType(name);
  if (found === undefined) {
    throw new Error(`no semantic type ${name}`);
  }
  return found;
}

export function column(name: string, typeName: string, details: Partial<Column> = {}): Column {
  const meaning = type(typeName);
  return { name, header: name.toUpperCase(), width: meaning.width, align: meaning.align, type: meaning, ...details };
}

export const fakeTypes = {
  time: type('boot_ns_t'),
  pid: type('pid_t'),
  comm: type('comm_t'),
  fd: type('fd_t'),
  error: type('errno_t'),
  path: type('path_t'),
};

export const fakeColumns: readonly Column[] = [
  column('pid', 'pid_t'),
  column('comm', 'comm_t'),
  column('fd', 'fd_t'),
  column('error', 'errno_t'),
  column('path', 'path_t'),
];

/** 2025-11-21T06:14:03.123456Z. */
export const fakeTime = 1_763_705_643_123_456;

export function fakeRow(number: number): Row {
  return {
    time: fakeTime + number * 1000,
    pid: 100 + number,
    comm: 'cat',
    fd: number % 2 === 0 ? 3 : undefined,
    error: number % 2 === 0 ? undefined : 2,
    path: `/etc/file-${number}`,
  };
}

export function ready(tool: string): Message {
  return {
    type: 'ready',
    tool,
    activity: 'Tracing nothing',
    time: fakeTime,
    hooks: [{ program: 'on_event', hook: 'tracepoint fake:event' }],
    columns: fakeColumns,
    types: fakeTypes,
  };
}

export const fakeStats: StatsMessage = {
  type: 'stats',
  time: fakeTime,
  final: true,
  seconds: 10,
  cpu_seconds: { user: 0.9, system: 0.3 },
  memory: 80 * 2 ** 20,
  programs: [
    { program: 'on_event', hook: 'tracepoint fake:event', runs: 1_000_000, run_ns: 412_000_000 },
    { program: 'on_end', hook: 'tracepoint fake:end' },
  ],
  maps: [
    { map: 'starts', entries: 12, max: 10_240 },
    { map: 'unused', entries: 0, max: 1 },
  ],
  rings: [{ ring: 'events', peak: 2 ** 20, size: 8 * 2 ** 20 }],
  lost: [{ what: 'events', total: 3 }],
};

/** A promise that settles when the run is told to end. */
export function told(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
    } else {
      signal.addEventListener('abort', () => resolve(), { once: true });
    }
  });
}

const columnOption = flag('-T, --timestamp', 'show the time', { group: 'column' });

/** A tool that touches no kernel; only `run` is worth naming. */
export function fakeTool(run: (context: RunContext) => AsyncIterable<Message>, details: Partial<Tool> = {}): Tool {
  const options: Options = {
    rows: integer('-n, --rows <COUNT>', 'how many rows to print', { min: 0, hidden: ['--max_rows'] }),
    failed: flag('-x, --failed', 'only what failed', { hidden: ['--only-failed'] }),
    good: flag('-g, --good', 'only what did not fail', { conflicts: ['failed'] }),
    timestamp: columnOption,
    ...commonOptions,
  };
  const help = (name: string, meaning: SemanticType): ToolColumn => ({
    ...column(name, meaning.name),
    help: meaning.help,
  });
  return {
    shape: 'custom',
    skeleton: skeleton('fake', {}),
    summary: 'Trace what never happens.',
    area: 'kernel',
    description: 'Nothing is measured.\n\nNothing is missed.',
    overhead: 'None.',
    options,
    positionals: [],
    examples: { '': 'trace everything', '-x -n 3': 'print three failures' },
    aliases: {},
    columns: () => [
      { ...help('time', fakeTypes.time), option: columnOption },
      ...fakeColumns.map(({ name, type: meaning }) => help(name, meaning)),
    ],
    schema: () => ({
      type: 'object',
      properties: { type: { const: 'event' }, pid: { type: 'integer' } },
      required: ['type', 'pid'],
    }),
    rules: () => ({}),
    run,
    ...details,
  };
}
