import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LoadFailure } from '../../lib/bpf/load-error.ts';

/** Programs that kernels refused, and what was said about each. */
const refusalFolder = fileURLToPath(new URL('../../../test/fixtures/verifier-logs/', import.meta.url));

/** An object with the programs `good` and `bad`, the second of which every kernel refuses. */
export const refusedObject = `${refusalFolder}refused.bpf.o`;

/** The kernels that were asked: '5.10'. */
export const recordedKernels: readonly string[] = readdirSync(refusalFolder)
  .filter((file) => file.endsWith('.txt'))
  .map((file) => file.slice(0, -'.txt'.length))
  .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));

export interface RecordedRefusal extends LoadFailure {
  /** 'null-check', or 'null-check, as nobody'. */
  readonly title: string;
}

/** Reads what `record.ts` wrote. */
export function recordedRefusals(kernel: string): RecordedRefusal[] {
  const text = readFileSync(`${refusalFolder}${kernel}.txt`, 'utf8');
  return text
    .split(/^#### /m)
    .slice(1)
    .map(parse);
}

function parse(entry: string): RecordedRefusal {
  const start = entry.indexOf('\nlog:\n');
  const [title = '', result = '', ...rest] = entry.slice(0, start).split('\n');
  return {
    title,
    object: title.replace(/,.*/, ''),
    result: Number(result.replace('result ', '')),
    messages: rest.filter((line) => line.startsWith('libbpf: ')).map((line) => line.slice('libbpf: '.length)),
    verifierLog: entry.slice(start + '\nlog:\n'.length, -1),
    permitted: !rest.includes('not permitted'),
  };
}
