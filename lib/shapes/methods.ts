import { atRuntimes, runtimeOptions } from './runtimes.ts';

const probes = {
  java: { provider: 'hotspot', probes: { java_enters: 'method__entry', java_leaves: 'method__return' } },
  perl: { provider: 'perl', probes: { perl_enters: 'sub__entry', perl_leaves: 'sub__return' } },
  php: { provider: 'php', probes: { php_enters: 'function__entry', php_leaves: 'function__return' } },
  python: { provider: 'python', probes: { python_enters: 'function__entry', python_leaves: 'function__return' } },
  ruby: {
    provider: 'ruby',
    probes: {
      ruby_enters: ['method__entry', 'cmethod__entry'],
      ruby_leaves: ['method__return', 'cmethod__return'],
    },
  },
  tcl: { provider: 'tcl', probes: { tcl_enters: 'proc__entry', tcl_leaves: 'proc__return' } },
} as const;

type Program = { [L in keyof typeof probes]: `${L}_enters` | `${L}_leaves` }[keyof typeof probes];

/** Languages whose runtimes can say which methods are called. */
const methodLanguages = Object.keys(probes) as (keyof typeof probes)[];

/** The options of tools that trace methods. */
export const methodOptions = runtimeOptions([...methodLanguages, 'none']);

/**
 * How to attach the programs of bpf/include/methods.h.
 * @param needsBeginnings whether these option values need to know when methods begin; by default all do
 */
export function atMethods(needsBeginnings: (values: never) => boolean = () => true) {
  return atRuntimes<keyof typeof probes, Program>(probes, {
    unwanted: (values) => (needsBeginnings(values) ? [] : methodLanguages.map((one): Program => `${one}_enters`)),
  });
}

/** For man pages: what the runtimes need, so that they say which methods they call. */
export const methodNotes = `
The runtime has to have statically defined probes (USDT), which a program finds out for itself; tplist shows them. Java's are there, but methods only with -XX:+DTraceMethodProbes when it starts. PHP's need USE_ZEND_DTRACE=1 in its environment. Ruby's say methods in C, and those in Ruby only while a TracePoint is enabled (for :call and :return). Python 3.11 of Debian says when functions end, but not when they begin; versions before and from 3.15 say both, those between have no such probes. Perl and Tcl only have them where they were built so, which is not so in Debian; Node.js has none since version 19. All processes of a runtime can be traced at once since Linux 5.15.`;

/** Class and method as one text. */
export function methodName({ class: of, method }: { readonly class?: unknown; readonly method?: unknown }): string {
  return of === undefined ? String(method ?? '') : `${of}.${method ?? ''}`;
}
