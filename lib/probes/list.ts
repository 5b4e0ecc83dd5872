import { existsSync } from 'node:fs';
import { inElfFile } from '../bpf/elf-file.ts';
import { KscopeError } from '../model/errors.ts';
import { escapeText } from '../model/escape.ts';
import { mappedFiles } from '../system/libraries.ts';
import { filesNamed, tracepoints } from './find.ts';
import { tracepointFields } from './tracepoint-format.ts';
import { usdtArguments } from './usdt-arguments.ts';
import { type UsdtProbe, usdtProbes } from './usdt-notes.ts';

/** A place that can be traced, as a row: what is not known is undefined. */
export interface ListedProbe {
  readonly kind: string;
  readonly file: string | undefined;
  readonly event: string;
  /** How many places in the file have the probe. */
  readonly locations: number | undefined;
  readonly semaphore: string | undefined;
  readonly format: string | undefined;
}

/** Every tracepoint of the kernel whose 'category:name' matches, with its fields when they are wanted. */
export function listTracepoints(matches: (name: string) => boolean, formats: boolean): ListedProbe[] {
  return tracepoints()
    .filter(({ category, name }) => matches(`${category}:${name}`))
    .map(({ category, name }) => ({
      kind: 'tracepoint',
      file: undefined,
      event: `${category}:${name}`,
      locations: undefined,
      semaphore: undefined,
      format: formats
        ? tracepointFields(category, name)
            .map((field) => `${field.type} ${field.name}`)
            .join(', ')
        : undefined,
    }))
    .sort(byEvent);
}

/**
 * The statically defined probes whose 'provider:name' matches: of a library or program, by its path or name, of all
 * that a process has mapped, or of both as the process has it.
 * @throws KscopeError usage when there is no such file or process
 */
export function listUsdtProbes(
  matches: (name: string) => boolean,
  { library, pid }: { readonly library?: string | undefined; readonly pid?: number | undefined },
): ListedProbe[] {
  if (pid !== undefined && !existsSync(`/proc/${pid}`)) {
    throw new KscopeError('usage', `there is no process ${pid}`);
  }
  const seen = new Set<string>();
  const files = library === undefined ? mappedFiles(/^/, pid) : filesNamed(library, pid);
  const read = files.flatMap((path) => {
    const probes = inElfFile(path, seen, usdtProbes);
    return probes === undefined ? [] : [{ path, probes }];
  });
  if (read.length === 0) {
    const what = library === undefined ? `process ${pid} has no files that can be read` : `no library or program`;
    throw new KscopeError('usage', library === undefined ? what : `${what} '${escapeText(library)}'`);
  }
  return read.flatMap(({ path, probes }) => probesOf(path.replace(/^\/proc\/\d+\/root(?=\/)/, ''), probes, matches));
}

function probesOf(file: string, probes: readonly UsdtProbe[], matches: (name: string) => boolean): ListedProbe[] {
  const places = new Map<string, UsdtProbe[]>();
  for (const probe of probes) {
    const event = `${probe.provider}:${probe.name}`;
    if (matches(event)) {
      places.set(event, [...(places.get(event) ?? []), probe]);
    }
  }
  return [...places]
    .map(([event, all]): ListedProbe => {
      const [{ semaphore, arguments: args } = all[0] as UsdtProbe] = all;
      return {
        kind: 'usdt',
        file,
        event,
        locations: all.length,
        semaphore: semaphore === undefined ? undefined : `0x${semaphore.toString(16)}`,
        format: usdtArguments(args)
          .map(({ size, signed, place }) => `${size} ${signed ? 'signed' : 'unsigned'} bytes @ ${place}`)
          .join(', '),
      };
    })
    .sort(byEvent);
}

function byEvent(a: ListedProbe, b: ListedProbe): number {
  return a.event < b.event ? -1 : 1;
}
