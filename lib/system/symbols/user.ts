import { readFileSync } from 'node:fs';
import type { Frame } from '../../model/message.ts';
import { demangle } from './demangle.ts';
import { ElfFunctions } from './elf-functions.ts';
import { PerfMap } from './perf-map.ts';

/** An executable mapping of a process. */
interface Mapping {
  readonly start: number;
  readonly end: number;
  readonly fileOffset: number;
  /** Device and inode: what tells files apart, whatever they are called. */
  readonly file: string;
  readonly path: string;
}

const FILES_MAX = 1024;
const MAPS_MAX = 64 * 2 ** 20;

/**
 * Names for addresses in processes. Files are opened as the process has them (deleted ones and those of containers
 * included) and read once each; nothing in them is trusted. A process has to be seen (`remember`) while it lives.
 */
export class UserSymbols {
  readonly #proc: string;
  readonly #processes = new Map<number, Process>();
  readonly #files = new Map<string, ElfFunctions | undefined>();

  constructor(proc = '/proc') {
    this.#proc = proc;
  }

  /** Reads the mappings of a process now, while it can be asked. */
  remember(pid: number): void {
    this.#process(pid);
  }

  /** The function that an address is in, for a process that is alive or was remembered. */
  resolve(pid: number, address: bigint): Frame {
    const process = this.#process(pid);
    const number = Number(address);
    const mapping = process.find(number) ?? (process.reload() ? process.find(number) : undefined);
    const jitted =
      mapping === undefined || mapping.path === '' || mapping.path.startsWith('//anon')
        ? process.jitted(number)
        : undefined;
    if (jitted !== undefined) {
      return { address, symbol: demangle(jitted.symbol), offset: jitted.offset, module: process.mapFile };
    }
    if (mapping === undefined) {
      return { address };
    }
    const functions = mapping.path.startsWith('[') ? undefined : this.#functions(pid, mapping);
    const found = functions?.atFileOffset(number - mapping.start + mapping.fileOffset);
    const module = mapping.path === '' ? '[anon]' : mapping.path.replace(/ \(deleted\)$/, '');
    return found === undefined
      ? { address, module, offset: number - mapping.start + mapping.fileOffset }
      : { address, module, symbol: demangle(found.symbol), offset: found.offset };
  }

  #process(pid: number): Process {
    let process = this.#processes.get(pid);
    if (process === undefined) {
      process = new Process(`${this.#proc}/${pid}`);
      this.#processes.set(pid, process);
    }
    return process;
  }

  #functions(pid: number, mapping: Mapping): ElfFunctions | undefined {
    if (this.#files.has(mapping.file) || this.#files.size >= FILES_MAX) {
      return this.#files.get(mapping.file);
    }
    const range = `${mapping.start.toString(16)}-${mapping.end.toString(16)}`;
    const own =
      ElfFunctions.open(`${this.#proc}/${pid}/map_files/${range}`) ??
      ElfFunctions.open(`${this.#proc}/${pid}/root${mapping.path}`);
    const functions = own === undefined || own.size > 0 ? own : (separate(own, this.#proc, pid, mapping.path) ?? own);
    this.#files.set(mapping.file, functions);
    return functions;
  }
}

/** The file that has the symbols of a stripped one, where distributions put them. */
function separate(stripped: ElfFunctions, proc: string, pid: number, path: string): ElfFunctions | undefined {
  const { buildId, debugLink } = stripped;
  const folder = path.slice(0, path.lastIndexOf('/'));
  const places = [
    ...(buildId === undefined ? [] : [`/usr/lib/debug/.build-id/${buildId.slice(0, 2)}/${buildId.slice(2)}.debug`]),
    ...(debugLink === undefined
      ? []
      : [`${folder}/${debugLink}`, `${folder}/.debug/${debugLink}`, `/usr/lib/debug${folder}/${debugLink}`]),
  ];
  for (const place of places) {
    for (const root of [`${proc}/${pid}/root`, '']) {
      const found = ElfFunctions.open(`${root}${place}`);
      if (found !== undefined && found.size > 0 && (buildId === undefined || found.buildId === buildId)) {
        return found;
      }
    }
  }
  return undefined;
}

class Process {
  readonly mapFile: string;
  readonly #folder: string;
  readonly #perfMap: PerfMap;
  #mappings: readonly Mapping[] = [];
  #loaded = false;

  constructor(folder: string) {
    this.#folder = folder;
    // The process names the file by its own idea of its number.
    this.mapFile = `/tmp/perf-${namespacePid(folder)}.map`;
    this.#perfMap = new PerfMap(`${folder}/root${this.mapFile}`);
    this.reload();
  }

  /** Reads the mappings again; false when the process is gone. */
  reload(): boolean {
    let text: Buffer;
    try {
      text = readFileSync(`${this.#folder}/maps`);
    } catch {
      return false;
    }
    const mappings = [...parseMaps(text.toString('utf8', 0, MAPS_MAX))];
    const changed = !this.#loaded || mappings.length !== this.#mappings.length;
    this.#mappings = mappings;
    this.#loaded = true;
    return changed;
  }

  find(address: number): Mapping | undefined {
    return this.#mappings.find(({ start, end }) => address >= start && address < end);
  }

  jitted(address: number): { readonly symbol: string; readonly offset: number } | undefined {
    const found = this.#perfMap.find(address);
    if (found !== undefined) {
      return found;
    }
    this.#perfMap.refresh();
    return this.#perfMap.find(address);
  }
}

function namespacePid(folder: string): string {
  try {
    const numbers = /^NSpid:\s*(.*)$/m.exec(readFileSync(`${folder}/status`, 'utf8'))?.[1]?.split(/\s+/);
    return numbers?.at(-1) ?? '0';
  } catch {
    return '0';
  }
}

/** Executable mappings from the text of /proc/PID/maps. */
export function* parseMaps(text: string): Generator<Mapping> {
  const line = /^([0-9a-f]+)-([0-9a-f]+) ..x. ([0-9a-f]+) ([0-9a-f]+:[0-9a-f]+) (\d+) *(.*)$/gm;
  for (const [, start = '', end = '', offset = '', device, inode, path = ''] of text.matchAll(line)) {
    yield {
      start: Number.parseInt(start, 16),
      end: Number.parseInt(end, 16),
      fileOffset: Number.parseInt(offset, 16),
      file: `${device}:${inode}`,
      // Newlines in names are written as \012.
      path: path.replace(/\\012/g, '\n'),
    };
  }
}
