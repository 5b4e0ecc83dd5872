import { libbpf, printCallback } from '../native/libbpf.ts';
import { libc } from '../native/libc.ts';

const DEBUG = 2;
const LINES_KEPT = 400;

let lines: string[] | undefined;
let debug: ((line: string) => void) | undefined;
let installed = false;
const text = Buffer.alloc(64 * 1024);

/**
 * Runs calls into libbpf and keeps what it says meanwhile: libbpf reports the reason of most failures only as text.
 * Outside of such a block its messages are dropped, never printed.
 */
export function withLog<T>(action: (log: readonly string[]) => T): T {
  install();
  const outer = lines;
  lines = outer ?? [];
  try {
    return action(lines);
  } finally {
    lines = outer;
  }
}

/** Passes on what libbpf says; its debugging output, thousands of lines, is left out. */
export function setDebugLog(sink: ((line: string) => void) | undefined): void {
  debug = sink;
}

function install(): void {
  if (installed) {
    return;
  }
  installed = true;
  libbpf.libbpf_set_print(
    printCallback((level, format, args) => {
      if (lines === undefined || level >= DEBUG) {
        return 0;
      }
      const length = Math.min(libc.vsnprintf(text, text.length, format, args), text.length - 1);
      for (const line of text.toString('utf8', 0, length).trimEnd().split('\n')) {
        const said = line.replace(/^libbpf: /, '');
        debug?.(`libbpf: ${said}`);
        lines.push(said);
      }
      lines.splice(0, lines.length - LINES_KEPT);
      return 0;
    }),
  );
}
