/** What kind of failure an error is; decides the exit status. */
export type ErrorCode = 'failed' | 'usage' | 'unsupported' | 'permission';

const exitCodes: Record<ErrorCode, number> = { failed: 1, usage: 2, unsupported: 3, permission: 4 };

export interface ErrorDetails {
  /** What the user can do about it, one sentence each. */
  readonly hint?: string | readonly string[];
  readonly cause?: unknown;
  /** Lines that show what the message is about: a piece of what was given, and a mark below it. */
  readonly excerpt?: readonly string[];
  /** Text for people who asked for more (`-v`): a verifier log, the messages of a library. */
  readonly log?: string;
  /** Name of the program, map or option that failed, for callers who can go on without it. */
  readonly subject?: string;
  /** The error number of the kernel that it comes from. */
  readonly errno?: number;
}

/**
 * The one error class of kscope: the message says what failed and why in one sentence,
 * `hints` say what to do next, `code` is stable and is what callers match on.
 */
export class KscopeError extends Error {
  readonly code: ErrorCode;
  readonly hints: readonly string[];
  readonly excerpt: readonly string[];
  readonly log: string | undefined;
  readonly subject: string | undefined;
  readonly errno: number | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'KscopeError';
    this.code = code;
    this.hints = typeof details.hint === 'string' ? [details.hint] : (details.hint ?? []);
    this.excerpt = details.excerpt ?? [];
    this.log = details.log;
    this.subject = details.subject;
    this.errno = details.errno;
  }

  /** 1 failed while running, 2 usage, 3 cannot run on this kernel or host, 4 not permitted. */
  get exitCode(): number {
    return exitCodes[this.code];
  }
}

/** Why something failed, in words for a message: of an error of Node, 'no such file or directory (ENOENT)'. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [, code, text] = /^([A-Z0-9]+): ([^,]+)/.exec(message) ?? [];
  return text === undefined ? message : `${text} (${code})`;
}
