import { readFileSync, readlinkSync, statSync } from 'node:fs';
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
const PROCESSES_MAX = 4096;
const PLACES_MAX = 2 ** 14;
const MAPS_MAX = 64 * 2 ** 20;
const BITS_32 = 2 ** 32;
/** A process has other code after each exec and dlopen; this many of its pasts are kept. */
const PASTS_MAX = 8;

/**
 * Names for addresses in processes. Files are opened as the process has them (deleted ones and those of containers
 * included) and read once each; nothing in them is trusted. A process has to be seen (`remember`) while it lives; of many
 * thousands, those that were seen last are known.
 */
export class UserSymbols {
  readonly #proc: string;
  readonly #processes = new Map<number, Process>();
  readonly #files = new Map<string, ElfFunctions | undefined>();
  /** By build id and what names come from: many files are copies of few. */
  readonly #contents = new Map<string, ElfFunctions>();
  /** Where files of processes were that see what we see. File systems in layers number them otherwise than maps do. */
  readonly #places = new Map<string, { readonly path: string; readonly identity: string | undefined }>();

  constructor(proc = '/proc') {
    this.#proc = proc;
  }

  /**
   * Reads the mappings of a process now, while it can be asked, and those of its files that nobody could find when it
   * is gone: deleted ones and those of containers.
   */
  remember(pid: number): void {
    const known = this.#processes.get(pid);
    const process = known ?? this.#process(pid);
    // Those that were seen last are kept longest.
    this.#processes.delete(pid);
    this.#processes.set(pid, process);
    if (known === undefined || known.reload()) {
      const ours = process.seesOurFiles();
      for (const mapping of process.mappings.filter(isFile)) {
        if (ours && !mapping.path.endsWith(' (deleted)')) {
          if (this.#places.size < PLACES_MAX || this.#places.has(mapping.file)) {
            this.#places.set(mapping.file, { path: mapping.path, identity: identityOf(mapping.path) });
          }
        } else {
          this.#functions(pid, mapping);
        }
      }
    }
    process.rememberJitted();
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
    const functions = isFile(mapping) ? this.#functions(pid, mapping) : this.#vdsoOf(mapping);
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
      for (const [oldest] of this.#processes) {
        if (this.#processes.size <= PROCESSES_MAX) {
          break;
        }
        this.#processes.delete(oldest);
      }
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
      ElfFunctions.open(`${this.#proc}/${pid}/root${mapping.path}`) ??
      this.#atPlace(mapping);
    const functions = own === undefined || own.size > 0 ? own : (separate(own, this.#proc, pid, mapping.path) ?? own);
    const known = functions && this.#contents.get(functions.content);
    if (functions !== undefined && known === undefined) {
      this.#contents.set(functions.content, functions);
    }
    this.#files.set(mapping.file, known ?? functions);
    return known ?? functions;
  }

  /** Functions of the kernel that processes call as their own: one image for all of 64 bits, so ours will do. */
  #vdsoOf({ path, start }: Mapping): ElfFunctions | undefined {
    if (path !== '[vdso]' || start < BITS_32) {
      return undefined;
    }
    if (!this.#files.has(path)) {
      const own = new Process('/proc/self').mappings.find((mapping) => mapping.path === path);
      this.#files.set(path, own && ElfFunctions.inMemory(own.start, own.end));
    }
    return this.#files.get(path);
  }

  /** The process is gone, its file may be where it was. */
  #atPlace({ file }: Mapping): ElfFunctions | undefined {
    const place = this.#places.get(file);
    return place?.identity !== undefined && identityOf(place.path) === place.identity
      ? ElfFunctions.open(place.path)
      : undefined;
  }
}

function isFile({ path }: Mapping): boolean {
  return path.startsWith('/') && !path.startsWith('//');
}

/** What tells a file from others; undefined when there is none. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev} ${ino}`;
  } catch {
    return undefined;
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
  readonly #pasts: (readonly Mapping[])[] = [];
  #known = '';

  constructor(folder: string) {
    this.#folder = folder;
    const { name, uid } = identity(folder);
    // The process names the file by its own idea of its number.
    this.mapFile = `/tmp/perf-${name}.map`;
    this.#perfMap = new PerfMap([`${folder}/root${this.mapFile}`, this.mapFile], uid);
    this.reload();
  }

  /** The executable ones, as they were last seen. */
  get mappings(): readonly Mapping[] {
    return this.#pasts[0] ?? [];
  }

  /** Whether paths mean the same to the process as to us. */
  seesOurFiles(): boolean {
    try {
      return ['ns/mnt', 'root'].every(
        (link) => readlinkSync(`${this.#folder}/${link}`) === readlinkSync(`/proc/self/${link}`),
      );
    } catch {
      return false;
    }
  }

  /** Reads the mappings again; false when they are as they were, or the process is gone. */
  reload(): boolean {
    let text: Buffer;
    try {
      text = readFileSync(`${this.#folder}/maps`);
    } catch {
      return false;
    }
    const mappings = [...parseMaps(text.toString('latin1', 0, MAPS_MAX))];
    const known = mappings.map(({ start, end, fileOffset, file }) => `${start} ${end} ${fileOffset} ${file}`).join();
    // A process that is about to be gone has no mappings.
    if (mappings.length === 0 || known === this.#known) {
      return false;
    }
    this.#known = known;
    this.#pasts.unshift(mappings);
    this.#pasts.splice(PASTS_MAX);
    return true;
  }

  /** The mapping that an address is in, or was. */
  find(address: number): Mapping | undefined {
    for (const mappings of this.#pasts) {
      const found = mappings.find(({ start, end }) => address >= start && address < end);
      if (found !== undefined) {
        return found;
      }
    }
    return undefined;
  }

  rememberJitted(): void {
    this.#perfMap.refreshIfMuch();
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

/** The number that a process has for itself, and its owner; number 0 for one that is gone. */
function identity(folder: string): { readonly name: string; readonly uid: number } {
  try {
    const status = readFileSync(`${folder}/status`, 'utf8');
    const numbers = /^NSpid:\s*(.*)$/m.exec(status)?.[1]?.split(/\s+/);
    const uid = /^Uid:\s*(\d+)/m.exec(status)?.[1];
    return { name: numbers?.at(-1) ?? '0', uid: Number(uid ?? 0) };
  } catch {
    return { name: '0', uid: 0 };
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
      path: unescapeMapped(path),
    };
  }
}

/** A path as it stands in /proc/PID/maps, read as Latin-1: its newlines are written as \012. */
export function unescapeMapped(path: string): string {
  return Buffer.from(path, 'latin1').toString('utf8').replace(/\\012/g, '\n');
}
