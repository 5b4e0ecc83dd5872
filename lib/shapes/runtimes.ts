import { existsSync } from 'node:fs';
import { inElfFile } from '../bpf/elf-file.ts';
import type { BpfProgram } from '../bpf/program.ts';
import { KscopeError } from '../model/errors.ts';
import { usdtProbes } from '../probes/usdt-notes.ts';
import { mappedFiles } from '../system/libraries.ts';

/** By language: the provider of its runtime's probes, and which program belongs to which of them. */
export type RuntimeProbes<L extends string, P extends string> = Readonly<
  Record<L, { readonly provider: string; readonly probes: Readonly<Partial<Record<P, string>>> }>
>;

interface Runtime {
  readonly language: string;
  readonly file: string;
}

export interface RuntimeValues {
  readonly process?: number | undefined;
  readonly language?: string | undefined;
}

/** What the runtimes that have no probes are called, and why they have none. */
const without: readonly (readonly [file: RegExp, why: string])[] = [
  [/^node(js)?$/, 'Node.js has none since version 19'],
  [/^(python|libpython)/, 'this Python was built without --with-dtrace'],
  [/^(ruby|libruby)/, 'this Ruby was built without --enable-dtrace'],
  [/^(php|libphp)/, 'this PHP was built without --enable-dtrace, or its garbage collector has none'],
  [/^(perl|libperl)/, 'this Perl was built without -Dusedtrace, or its memory is not collected'],
  [/^(tclsh|libtcl)/, 'this Tcl was built without --enable-dtrace, or its memory is not collected'],
];

const runtimeFile = /^(python|libpython|libjvm|ruby|libruby|php|libphp|perl|libperl|tclsh|libtcl|node)/;

/**
 * The runtimes that have all the probes that a language wants: of a process, or of all.
 * @throws KscopeError usage when there is no such process, unsupported when it has no such probes
 */
function findRuntimes({ process: pid, language }: RuntimeValues, table: RuntimeProbes<string, string>): Runtime[] {
  if (pid !== undefined && !existsSync(`/proc/${pid}`)) {
    throw new KscopeError('usage', `there is no process ${pid}`);
  }
  const files = mappedFiles(pid === undefined ? runtimeFile : /^/, pid);
  const seen = new Set<string>();
  const found = files.flatMap((file) => {
    const all = inElfFile(file, seen, usdtProbes) ?? [];
    const there = new Set(all.map(({ provider, name }) => `${provider}:${name}`));
    return Object.entries(table)
      .filter(([name]) => language === undefined || language === name)
      .filter(([, { provider, probes }]) => Object.values(probes).every((probe) => there.has(`${provider}:${probe}`)))
      .map(([name]): Runtime => ({ language: name, file }));
  });
  if (found.length > 0 || pid === undefined) {
    return found;
  }
  const names = files.map((file) => file.replace(/^.*\//, ''));
  const why = without.find(([file]) => names.some((name) => file.test(name)))?.[1];
  const what = language === undefined ? '' : ` of ${language}`;
  throw new KscopeError(
    'unsupported',
    `process ${pid} has no such probes${what}${why === undefined ? '' : `: ${why}`}`,
    {
      hint: `languages whose runtimes may have them: ${Object.keys(table).join(', ')}`,
    },
  );
}

/** How to attach to the probes of languages' runtimes, for `attach`, and what to say where there are none. */
export function atRuntimes<const L extends string, const P extends string>(table: RuntimeProbes<L, P>) {
  const known = new Map<string, readonly Runtime[]>();
  const runtimesOf = (values: RuntimeValues): readonly Runtime[] => {
    const key = `${values.process ?? ''} ${values.language ?? ''}`;
    const runtimes = known.get(key) ?? findRuntimes(values, table);
    known.set(key, runtimes);
    return runtimes;
  };
  const programsOf = (languages: readonly string[]) =>
    [...new Set(languages.flatMap((one) => Object.keys(table[one as L].probes)))] as P[];
  const all = programsOf(Object.keys(table));
  const wanted = (values: RuntimeValues): readonly P[] => {
    const programs = programsOf(runtimesOf(values).map(({ language }) => language));
    return programs.length > 0 ? programs : all;
  };
  const attach = (name: P) => (program: BpfProgram, values: RuntimeValues) => {
    for (const { language, file } of runtimesOf(values)) {
      const { provider, probes } = table[language as L];
      const probe = probes[name];
      if (probe !== undefined) {
        try {
          program.attachUsdt(file, provider, probe, values.process);
        } catch (error) {
          // The process whose file it was may have ended since.
          if (existsSync(file)) {
            throw error;
          }
        }
      }
    }
  };
  return {
    attach: {
      either: (values: RuntimeValues) => [wanted(values)],
      unwanted: (values: RuntimeValues) => all.filter((name) => !wanted(values).includes(name)),
      by: Object.fromEntries(all.map((name) => [name, attach(name)])) as Record<P, ReturnType<typeof attach>>,
    },
    warnings: (values: RuntimeValues) =>
      runtimesOf(values).length > 0 ? [] : ['no process has a runtime with such probes: there is nothing to see'],
  };
}
