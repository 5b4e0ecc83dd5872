import { readdirSync } from 'node:fs';
import { inElfFile } from '../bpf/elf-file.ts';
import { lacksStructure } from '../bpf/hooks.ts';
import type { BpfObject } from '../bpf/object.ts';
import type { BpfProgram } from '../bpf/program.ts';
import { functionsOf } from '../bpf/user-functions.ts';
import { KscopeError } from '../model/errors.ts';
import { escapeText } from '../model/escape.ts';
import { usdtProbes } from '../probes/usdt-notes.ts';
import { mappedFiles } from '../system/libraries.ts';
import { filters } from './filters.ts';
import { lettered, type Option, text } from './options.ts';

const databases = ['postgres', 'mysql', 'mariadb'] as const;
type Database = (typeof databases)[number];

interface QueryValues {
  readonly database: Database;
  readonly file?: string | undefined;
  readonly pid?: number | undefined;
}

const databaseOption: Option<Database, never> = {
  flags: '<database>',
  summary: databases.join(', '),
  parse: (given) => {
    const found = databases.find((name) => name === given);
    if (found === undefined) {
      throw new KscopeError('usage', `'${escapeText(given)}' is not one of ${databases.join(', ')}`);
    }
    return found;
  },
};

/** The options of tools that trace queries of databases. */
export const queryOptions = {
  database: databaseOption,
  file: text('-x, --exe <FILE>', 'program of the server; otherwise those that run, or that Debian installs', {
    completes: 'file',
  }),
  ...filters,
  uid: lettered(filters.uid),
};

const servers: Readonly<Record<Database, RegExp>> = {
  postgres: /^(postgres|postmaster|postgresql)$/,
  mysql: /^(mysqld|mysqld-debug|mariadbd)$/,
  mariadb: /^(mariadbd|mysqld)$/,
};

/** Binaries of a server: the one that was named, those that run, or those that are installed. */
function serverFiles({ database, file, pid }: QueryValues): readonly string[] {
  if (file !== undefined) {
    return [file];
  }
  const running = mappedFiles(servers[database], pid);
  return running.length > 0 ? running : installed().filter((path) => servers[database].test(path.replace(/^.*\//, '')));
}

function installed(): string[] {
  const versions = '/usr/lib/postgresql';
  const folders = [
    '/usr/sbin',
    '/usr/bin',
    '/usr/libexec',
    ...entries(versions).map((one) => `${versions}/${one}/bin`),
  ];
  return folders.flatMap((folder) => entries(folder).map((name) => `${folder}/${name}`));
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

const probes = {
  simple_begins: 'query__start',
  simple_ends: 'query__done',
  execute_begins: 'query__execute__start',
  execute_ends: 'query__execute__done',
  activity_changes: 'statement__status',
} as const;

type Probe = keyof typeof probes;

const byProbes = Object.keys(probes) as Probe[];
const byFunction = ['command_ends', 'command_begins'] as const;

/** Attaches to a probe of PostgreSQL, in all servers. */
function atProbe(name: string) {
  return (program: BpfProgram, values: QueryValues) => {
    let count = 0;
    const seen = new Set<string>();
    for (const path of serverFiles(values)) {
      const there = inElfFile(path, seen, usdtProbes) ?? [];
      if (there.some((probe) => probe.provider === 'postgresql' && probe.name === name)) {
        program.attachUsdt(path, 'postgresql', name, values.pid);
        count++;
      }
    }
    refuseNone(count, values, `has the probe postgresql:${name}: it was built without --enable-dtrace`);
  };
}

const dispatch = /^_Z\d+dispatch_command/;

function dispatchers(values: QueryValues): { path: string; name: string; offset: number }[] {
  const seen = new Set<string>();
  return serverFiles(values).flatMap((path) => {
    const [found] = inElfFile(path, seen, (elf) => functionsOf(elf, (name) => dispatch.test(name))) ?? [];
    return found === undefined ? [] : [{ path, ...found }];
  });
}

function atDispatch(returns: boolean) {
  return (program: BpfProgram, values: QueryValues) => {
    const found = dispatchers(values);
    const { pid } = values;
    for (const { path, offset } of found) {
      program.attachUprobes({ file: path, places: [{ offset }], return: returns, ...(pid !== undefined && { pid }) });
    }
    refuseNone(found.length, values, 'has the function dispatch_command among its symbols');
  };
}

function refuseNone(count: number, { database, file }: QueryValues, what: string): void {
  if (count === 0) {
    const who =
      file === undefined ? `no server of ${database} that runs or is installed` : `'${escapeText(file)}' is none that`;
    throw new KscopeError(file === undefined ? 'unsupported' : 'usage', `${who} ${what}`, {
      hint: '--exe FILE names the binary of the server',
    });
  }
}

/** Between open and load: how the server's function takes its arguments. */
export function prepareQueries(object: BpfObject, values: QueryValues): void {
  if (values.database !== 'postgres') {
    object.globals.set(
      'command_data',
      dispatchers(values).some(({ name }) => name.includes('COM_DATA')),
    );
  }
}

/** Without cookies (before 5.15), libbpf tells the places of a probe apart by their addresses in one process. */
const withoutCookies = lacksStructure('bpf_trace_run_ctx');

/** How to attach the programs of bpf/include/queries.h, for `attach`. */
export const atQueries = {
  lacks: ({ database, pid }: QueryValues) =>
    database === 'mysql' || database === 'mariadb' || pid !== undefined || withoutCookies() === undefined
      ? undefined
      : 'before Linux 5.15, probes are only placed in a process that is named: --pid PID',
  either: ({ database }: QueryValues) => [database === 'mysql' || database === 'mariadb' ? byFunction : byProbes],
  unwanted: ({ database }: QueryValues) => [
    ...(database === 'mysql' || database === 'mariadb' ? byProbes : byFunction),
  ],
  by: {
    ...(Object.fromEntries(byProbes.map((program) => [program, atProbe(probes[program])])) as Record<
      Probe,
      ReturnType<typeof atProbe>
    >),
    command_begins: atDispatch(false),
    command_ends: atDispatch(true),
  },
};
