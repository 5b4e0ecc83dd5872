import { readFileSync } from 'node:fs';
import { libc } from '../native/libc.ts';
import { addressOf } from '../native/memory.ts';
import { perfEventOpen } from '../native/perf-event.ts';
import { readKernelFile } from '../system/kernel-file.ts';

const ENOENT = 2;
const EINVAL = 22;
const EADDRNOTAVAIL = 99;

/** What makes inodes: most file systems, and sockets, have one of this name. */
const SHARED = 'init_once';

/** What takes longer is no better than to read /proc/kallsyms, which it then is. */
const PATIENCE_MS = 50;

type Answer = 'one' | 'several' | undefined;

const answers = new Map<string, Answer>();

/**
 * Whether several symbols of the kernel and its modules have this name, of which the kernel takes the first one when it is
 * given a name. Symbols that are no functions count as well. The kernel is asked, and only where it does not say, or
 * takes long to, /proc/kallsyms is read, which takes 50 to 80 ms.
 */
export function isShared(name: string): boolean {
  const answer = ask(name);
  return answer === undefined ? isListedTwice(readKernelFile('/proc/kallsyms'), name) : answer === 'several';
}

/** Whether the kernel says that it has one symbol of this name, and its modules none. */
export function isOfKernelAlone(name: string): boolean {
  return ask(name) === 'one';
}

function ask(name: string): Answer {
  if (!answers.has(name)) {
    answers.set(name, answerOf(name));
  }
  return answers.get(name);
}

/**
 * Asks for a probe that there cannot be, one of a return that is not where a function begins, and of which the kernel first
 * says whether its name is that of several functions: b022f0c7e404 ("tracing/kprobes: Return EADDRNOTAVAIL when func matches
 * several symbols", 6.7, and stable kernels before).
 */
function answerOf(name: string): Answer {
  const type = kprobeType();
  if (type === undefined || !/^[^:]+$/.test(name)) {
    return undefined;
  }
  const error = refusal(type, name);
  if (error === EADDRNOTAVAIL) {
    return 'several';
  }
  if (error !== EINVAL || refusal(type, SHARED) !== EADDRNOTAVAIL) {
    return undefined;
  }
  // Newer kernels look into modules only for what they do not have themselves; older ones take long to look for each.
  const end = performance.now() + PATIENCE_MS;
  for (const module of modules()) {
    if (refusal(type, `${module}:${name}`) !== ENOENT) {
      return 'several';
    }
    if (performance.now() > end) {
      return undefined;
    }
  }
  return 'one';
}

/** With which error the kernel refuses the probe; 0 if it does not. */
function refusal(type: number, name: string): number {
  const text = Buffer.from(`${name}\0`);
  const fd = perfEventOpen({ type, config: 1, config1: addressOf(text), config2: 1n }, process.pid, -1);
  if (fd >= 0) {
    libc.close(fd);
  }
  return fd < 0 ? -fd : 0;
}

function kprobeType(): number | undefined {
  try {
    return Number(readFileSync('/sys/bus/event_source/devices/kprobe/type', 'utf8'));
  } catch {
    return undefined;
  }
}

function modules(): readonly string[] {
  try {
    return readFileSync('/proc/modules', 'utf8').match(/^\S+/gm) ?? [];
  } catch {
    // Without modules.
    return [];
  }
}

/** Whether two symbols have the name, in what /proc/kallsyms says. */
export function isListedTwice(symbols: Buffer, name: string): boolean {
  const text = Buffer.from(` ${name}`);
  let found = 0;
  for (let at = symbols.indexOf(text); at >= 0 && found < 2; at = symbols.indexOf(text, at + text.length)) {
    const next = symbols[at + text.length];
    // A line ends, or goes on with a tab and the module.
    found += next === undefined || next === 0x0a || next === 0x09 ? 1 : 0;
  }
  return found > 1;
}
