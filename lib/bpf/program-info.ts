import { readFileSync } from 'node:fs';
import { libbpf } from '../native/libbpf.ts';
import { libc } from '../native/libc.ts';
import { addressOf } from '../native/memory.ts';

// struct bpf_prog_info, and where its members are: all part of the kernel's interface.
const SIZE = 232;
const MAP_COUNT = 52;
const MAP_IDS = 56;
const RUN_TIME = 192;
const RUN_COUNT = 200;
const RECURSION_MISSES = 208;

/** What the kernel counts of a program, 0 where it does not. */
export interface ProgramInfo {
  /** Since it was loaded, as far as the kernel counted: see `RunCounting`. */
  readonly runs: number;
  /** Nanoseconds of those. */
  readonly time: number;
  /** Times at which it was skipped because it was already running. */
  readonly misses: number;
}

/** @param fd of a program; zeros for what is none */
export function programInfo(fd: number): ProgramInfo {
  const { info, size } = readInfo(fd);
  const at = (offset: number) => (offset + 8 <= size ? Number(info.getBigUint64(offset, true)) : 0);
  return { runs: at(RUN_COUNT), time: at(RUN_TIME), misses: at(RECURSION_MISSES) };
}

/** What a program costs, and the maps that it uses with it; undefined for one that is gone. */
export function programCosts(id: number): (ProgramInfo & { readonly maps: readonly number[] }) | undefined {
  return withDescriptor(libbpf.bpf_prog_get_fd_by_id(id), (fd) => ({ ...programInfo(fd), maps: mapsOf(fd) }));
}

/** Bytes of memory that the kernel has for a map, as it tells them; 0 for one that is gone. */
export function mapMemory(id: number): number {
  const told = withDescriptor(libbpf.bpf_map_get_fd_by_id(id), (fd) =>
    /^memlock:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')),
  );
  return Number(told?.[1] ?? 0);
}

function withDescriptor<T>(fd: number, use: (fd: number) => T): T | undefined {
  if (fd < 0) {
    return undefined;
  }
  try {
    return use(fd);
  } finally {
    libc.close(fd);
  }
}

function mapsOf(fd: number): number[] {
  const ids = new Uint32Array(readInfo(fd).info.getUint32(MAP_COUNT, true));
  if (ids.length > 0) {
    readInfo(fd, ids);
  }
  return [...ids];
}

/** @param maps gets the numbers of as many maps as it has room for */
function readInfo(fd: number, maps?: Uint32Array): { readonly info: DataView; readonly size: number } {
  const info = new DataView(new ArrayBuffer(SIZE));
  const length = Uint32Array.of(SIZE);
  if (maps !== undefined) {
    info.setUint32(MAP_COUNT, maps.length, true);
    info.setBigUint64(MAP_IDS, addressOf(new Uint8Array(maps.buffer)), true);
  }
  const result = libbpf.bpf_obj_get_info_by_fd(fd, new Uint8Array(info.buffer), new Uint8Array(length.buffer));
  return { info, size: result < 0 ? 0 : (length[0] ?? 0) };
}
