import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readKernelFile } from './kernel-file.ts';
import { unescapeMapped } from './symbols/user.ts';

const FILES_MAX = 256;
const MAPS_MAX = 16 * 2 ** 20;
const CACHE_MAX = 16 * 2 ** 20;

/**
 * Files whose name matches and that processes have mapped as code, each once, as paths that lead through the process's
 * own root: a container's library is another file than the host's. At most 256.
 * @param pid only of this process
 */
export function mappedFiles(name: RegExp, pid?: number, proc = '/proc'): string[] {
  const found = new Map<string, string>();
  // Most processes have the same libraries: what was looked at once is not taken apart again.
  const known = new Set<string>();
  const pids = pid === undefined ? readdirSync(proc).filter((entry) => /^\d+$/.test(entry)) : [String(pid)];
  const memory = Buffer.allocUnsafe(2 ** 16);
  for (const one of pids) {
    let maps: Buffer;
    try {
      maps = readKernelFile(join(proc, one, 'maps'), memory, MAPS_MAX);
    } catch {
      // It has ended, or is none of ours to see.
      continue;
    }
    if (maps.length > MAPS_MAX) {
      continue;
    }
    for (const [, mapped = ''] of maps.toString('latin1').matchAll(/^\S+ ..x\S* \S+ (.*)$/gm)) {
      if (!known.has(mapped)) {
        known.add(mapped);
        const [, file = '', path = ''] = /^(\S+ \d+) *(\/.*)$/.exec(mapped) ?? [];
        const named = unescapeMapped(path);
        if (found.size < FILES_MAX && name.test(basename(named)) && !found.has(file)) {
          found.set(file, `${join(proc, one, 'root')}${named}`);
        }
      }
    }
  }
  return [...found.values()];
}

/** Libraries whose name matches, where the loader of programs finds them: its cache, or its standard directories. */
export function loaderFiles(name: RegExp, root = '/'): string[] {
  let cached: string[] = [];
  try {
    cached = readLoaderCache(readFileSync(join(root, 'etc/ld.so.cache')));
  } catch {
    // Systems with musl have none.
  }
  const matching = cached.filter((path) => name.test(basename(path))).map((path) => join(root, path));
  return matching.length > 0 ? matching : standardFiles(name, root);
}

function standardFiles(name: RegExp, root: string): string[] {
  const architecture = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const folders = [
    'lib',
    'usr/lib',
    'lib64',
    'usr/lib64',
    ...['lib', 'usr/lib'].map((lib) => `${lib}/${architecture}-linux-gnu`),
  ];
  return folders.flatMap((folder) => {
    try {
      return readdirSync(join(root, folder))
        .filter((file) => name.test(file))
        .map((file) => join(root, folder, file));
    } catch {
      return [];
    }
  });
}

const MAGIC = 'glibc-ld.so.cache1.1';
const HEADER = 48;
const ENTRY = 24;

/** The paths in /etc/ld.so.cache; none when it is damaged or of an older kind. */
export function readLoaderCache(bytes: Buffer): string[] {
  const start = bytes.length > CACHE_MAX ? -1 : bytes.indexOf(MAGIC);
  if (start < 0 || start + HEADER > bytes.length) {
    return [];
  }
  // Positions of strings are counted from the magic. Parts of one string take a fraction of what it takes to decode each by itself.
  const cache = bytes.subarray(start);
  const text = cache.toString('latin1');
  const count = Math.min(cache.readUInt32LE(MAGIC.length), Math.floor((cache.length - HEADER) / ENTRY));
  const paths: string[] = [];
  for (let i = 0; i < count; i++) {
    const at = cache.readUInt32LE(HEADER + i * ENTRY + 8);
    const end = at < text.length ? text.indexOf('\0', at) : -1;
    if (end > at && end - at < 4096) {
      const path = text.slice(at, end);
      paths.push(/[^\0-\x7f]/.test(path) ? Buffer.from(path, 'latin1').toString('utf8') : path);
    }
  }
  return paths;
}
