import { existsSync, statSync } from 'node:fs';
import { inElfFile } from '../bpf/elf-file.ts';
import { lacksStructure } from '../bpf/hooks.ts';
import type { BpfProgram } from '../bpf/program.ts';
import { attachToFunctions } from '../bpf/user-functions.ts';
import { KscopeError } from '../model/errors.ts';
import { usdtProbes } from '../probes/usdt-notes.ts';
import { mappedFiles } from '../system/libraries.ts';
import { filters } from './filters.ts';
import { choice, lettered, parseInteger } from './options.ts';
import { cLibrary } from './user-functions.ts';

/**
 * By language: the provider of its runtime's probes, and which program belongs to which of them, or to several; or, for
 * C, functions of its library. That is the runtime of a process that has no other.
 */
export type RuntimeProbes<L extends string, P extends string> = Readonly<
  Record<
    L,
    {
      readonly provider: string;
      /** 'name', or 'provider:name' where it is another one's. */
      readonly probes: Readonly<Partial<Record<P, string | readonly string[]>>>;
    }
  >
>;

interface Runtime {
  readonly language: string;
  readonly file: string;
  /** 'provider:name' of the probes that it has. */
  readonly there: ReadonlySet<string>;
}

export interface RuntimeValues {
  readonly process?: number | undefined;
  readonly language?: string | undefined;
}

export interface RuntimeRules<P extends string> {
  /** Runtimes that have any of the probes will do; otherwise all have to be there. */
  readonly any?: boolean;
  /** The tool has more to show: without runtimes it runs all the same. */
  readonly optional?: boolean;
  /** Programs that these option values do not need. */
  unwanted?(values: never): readonly P[];
}

/** The provider of a language whose probes are functions of the C library. */
export const libraryFunctions = 'libc';

interface KnownRuntime {
  readonly name: string;
  /** Its program, or its library. */
  readonly file: RegExp;
  /** What it has to be built with to have any probes; undefined where that cannot be. */
  readonly needs?: string;
}

/** Runtimes whose probes may be missing, by language, which is their provider, too. */
const runtimesKnown: Readonly<Record<string, KnownRuntime>> = {
  node: { name: 'Node.js', file: /^node(js)?$/ },
  python: { name: 'Python', file: /^(python|libpython)/, needs: '--with-dtrace' },
  ruby: { name: 'Ruby', file: /^(ruby|libruby)/, needs: '--enable-dtrace' },
  php: { name: 'PHP', file: /^(php|libphp)/, needs: '--enable-dtrace' },
  perl: { name: 'Perl', file: /^(perl|libperl)/, needs: '-Dusedtrace' },
  tcl: { name: 'Tcl', file: /^(tclsh|libtcl)/, needs: '--enable-dtrace' },
};

/** A language whose runtime had probes once. */
const PAST = 'node';
const past = 'Node.js has none since version 19';

/** Why a process with these files has no probes that are wanted, as far as that can be told. */
function whyNone(
  files: readonly string[],
  providers: ReadonlySet<string>,
  table: RuntimeProbes<string, string>,
  language: string | undefined,
): string | undefined {
  const names = files.map((file) => file.replace(/^.*\//, ''));
  const [own = '', runtime] =
    Object.entries(runtimesKnown).find(([, { file }]) => names.some((one) => file.test(one))) ?? [];
  if (runtime === undefined) {
    return undefined;
  }
  const { name, needs } = runtime;
  if (language !== undefined && language !== own) {
    return `it runs ${name}`;
  }
  if (needs === undefined) {
    return past;
  }
  return table[own] === undefined || providers.has(own)
    ? `${name} has none for this`
    : `this ${name} was built without ${needs}`;
}

const runtimeFile = /^(python|libpython|libjvm|ruby|libruby|php|libphp|perl|libperl|tclsh|libtcl|node)/;

/** Without cookies (before 5.15), libbpf tells the places of a probe apart by their addresses in one process. */
const withoutCookies = lacksStructure('bpf_trace_run_ctx');

/**
 * The runtimes that have the probes that a language wants: of a process, or of all.
 * @throws KscopeError usage when there is no such process, unsupported when it has no such probes
 */
function findRuntimes(
  { process: pid, language }: RuntimeValues,
  table: RuntimeProbes<string, string>,
  { any = false, optional = false }: RuntimeRules<string>,
): Runtime[] {
  if (pid !== undefined && !existsSync(`/proc/${pid}`)) {
    throw new KscopeError('usage', `there is no process ${pid}`);
  }
  if (language === PAST) {
    throw nonePresent(pid, language, past, table);
  }
  const refused = pid === undefined && withoutCookies() !== undefined;
  if (withoutRuntime(table, language) || (optional && refused)) {
    return [];
  }
  const files = mappedFiles(pid === undefined ? runtimeFile : /^/, pid);
  const seen = new Set<string>();
  const providers = new Set<string>();
  const candidates = Object.entries(table).filter(([name]) => language === undefined || language === name);
  const found = files.flatMap((file) => {
    const all = inElfFile(file, seen, usdtProbes) ?? [];
    const there = new Set(all.map(({ provider, name }) => `${provider}:${name}`));
    for (const { provider } of all) {
      providers.add(provider);
    }
    return candidates
      .filter(([, { provider, probes }]) => {
        const names = Object.values(probes).flatMap((one) => one ?? []);
        const has = (name: string) => there.has(fullName(provider, name));
        return any ? names.some(has) : names.every(has);
      })
      .map(([name]): Runtime => ({ language: name, file: lastingPath(file), there }));
  });
  const [library] = candidates.find(([, { provider }]) => provider === libraryFunctions) ?? [];
  if (found.length === 0 && library !== undefined && (pid !== undefined || language === library)) {
    found.push(
      ...mappedFiles(cLibrary.file, pid).map((file) => ({ language: library, file, there: new Set<string>() })),
    );
  }
  if (found.length > 0 || pid === undefined || (optional && language === undefined)) {
    return found;
  }
  throw nonePresent(pid, language, whyNone(files, providers, table, language), table);
}

function nonePresent(
  pid: number | undefined,
  language: string | undefined,
  why: string | undefined,
  table: RuntimeProbes<string, string>,
): KscopeError {
  const who = pid === undefined ? 'no process has' : `process ${pid} has no`;
  const what = language === undefined ? '' : ` of ${language}`;
  const message = `${who} such probes${what}${why === undefined ? '' : `: ${why}`}`;
  return new KscopeError('unsupported', message, {
    hint: `languages whose runtimes may have them: ${Object.keys(table).join(', ')}`,
  });
}

/** The way to a file that does not lead through a process, which may end, where there is one. */
function lastingPath(file: string): string {
  const plain = file.replace(/^\/proc\/\d+\/root/, '');
  try {
    const [a, b] = [statSync(plain), statSync(file)];
    return a.ino === b.ino && a.dev === b.dev ? plain : file;
  } catch {
    return file;
  }
}

/** A language that has no probes: 'none'. */
function withoutRuntime(table: RuntimeProbes<string, string>, language: string | undefined): boolean {
  return language !== undefined && table[language] === undefined;
}

function fullName(provider: string, name: string): string {
  return name.includes(':') ? name : `${provider}:${name}`;
}

/** A name of the tool for each language, which stands for `--language` with it: 'ruby' and 'top' make 'rubytop'. */
export function languageAliases(languages: readonly string[], suffix: string): Record<string, readonly string[]> {
  return Object.fromEntries(languages.map((language) => [`${language}${suffix}`, ['-l', language]]));
}

/** The options that say whose runtime is traced. @param languages for `--language` */
export function runtimeOptions<const L extends string>(languages: readonly L[]) {
  return {
    process: {
      flags: '-p, --attach <PID>',
      place: '[pid]',
      summary: 'only this process; otherwise all of these languages that run',
      parse: (given: string) => parseInteger(given, 1, 2 ** 22),
      set: 'filter_pid' as const,
      group: 'filter' as const,
      completes: 'pid' as const,
    },
    language: choice('-l, --language <LANGUAGE>', 'the runtime, where a process has several', languages),
    ...filters,
    pid: lettered(filters.pid),
    tid: lettered(filters.tid),
  };
}

/** How to attach to the probes of languages' runtimes, for `attach`, and what to say where there are none. */
export function atRuntimes<const L extends string, const P extends string>(
  table: RuntimeProbes<L, P>,
  rules: RuntimeRules<P> = {},
) {
  const known = new Map<string, readonly Runtime[]>();
  const runtimesOf = (values: RuntimeValues): readonly Runtime[] => {
    const key = `${values.process ?? ''} ${values.language ?? ''}`;
    const runtimes = known.get(key) ?? findRuntimes(values, table, rules as RuntimeRules<string>);
    known.set(key, runtimes);
    return runtimes;
  };
  const programsOf = (languages: readonly string[]) =>
    [...new Set(languages.flatMap((one) => Object.keys(table[one as L].probes)))] as P[];
  const all = programsOf(Object.keys(table));
  const wanted = (values: RuntimeValues): readonly P[] => {
    const programs = programsOf(runtimesOf(values).map(({ language }) => language));
    const needless = rules.unwanted?.(values as never) ?? [];
    const known = programs.length > 0 || values.process !== undefined || withoutRuntime(table, values.language);
    return (known ? programs : all).filter((name) => !needless.includes(name));
  };
  const attach = (program: P) => (to: BpfProgram, values: RuntimeValues) => {
    for (const { language, file, there } of runtimesOf(values)) {
      const { provider, probes } = table[language as L];
      const names = [probes[program] ?? []].flat();
      if (provider === libraryFunctions) {
        attachToFunctions(to, [file], names, { pid: values.process });
        continue;
      }
      for (const name of names.map((one) => fullName(provider, one)).filter((one) => there.has(one))) {
        const [from = '', probe = ''] = name.split(':');
        try {
          to.attachUsdt(file, from, probe, values.process);
        } catch (error) {
          // The last process of a container has ended since it was looked at.
          if (values.process !== undefined || existsSync(file)) {
            throw error;
          }
        }
      }
    }
  };
  return {
    attach: {
      lacks: (values: RuntimeValues) =>
        values.process !== undefined ||
        runtimesOf(values).every(({ language }) => table[language as L].provider === libraryFunctions) ||
        withoutCookies() === undefined
          ? undefined
          : 'before Linux 5.15, probes are only placed in a process that is named',
      either: (values: RuntimeValues) => [wanted(values)],
      unwanted: (values: RuntimeValues) => all.filter((name) => !wanted(values).includes(name)),
      by: Object.fromEntries(all.map((name) => [name, attach(name)])) as Record<P, ReturnType<typeof attach>>,
    },
    warnings: (values: RuntimeValues) =>
      rules.optional === true || runtimesOf(values).length > 0 || withoutRuntime(table, values.language)
        ? []
        : ['no process has a runtime with such probes: there is nothing to see'],
  };
}

interface InMilliseconds {
  readonly milliseconds?: boolean | undefined;
}

/** The column of a time in nanoseconds, in microseconds or, with that option, milliseconds. */
export const timeColumn = {
  header: ({ milliseconds }: InMilliseconds) => (milliseconds === true ? 'TIME(ms)' : 'TIME(us)'),
  width: 10,
  text: (ns: number, _: unknown, { milliseconds }: InMilliseconds) => (ns / (milliseconds ? 1e6 : 1e3)).toFixed(2),
};
