import { readdirSync } from 'node:fs';
import koffi from 'koffi';

const RLIMIT_NOFILE = 7;
const setrlimit = koffi.load(null).func('int setrlimit(int resource, const void *limits)');
const getrlimit = koffi.load(null).func('int getrlimit(int resource, void *limits)');

/** Runs `action` while this process may open no descriptor that is `count` above the lowest free one, or higher. */
export async function withDescriptors<T>(count: number, action: () => Promise<T>): Promise<T> {
  const before = new BigUint64Array(2);
  getrlimit(RLIMIT_NOFILE, before);
  const used = new Set(readdirSync('/proc/self/fd').map(Number));
  let limit = 0;
  for (let free = 0; free < count || used.has(limit); limit++) {
    free += used.has(limit) ? 0 : 1;
  }
  try {
    setrlimit(RLIMIT_NOFILE, BigUint64Array.of(BigInt(limit), before[1] as bigint));
    return await action();
  } finally {
    setrlimit(RLIMIT_NOFILE, before);
  }
}
