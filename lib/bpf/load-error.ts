import { type ErrorCode, KscopeError } from '../model/errors.ts';
import { escapeText } from '../model/escape.ts';
import { errorText } from '../native/libc.ts';
import { adviseOn } from './verifier-advice.ts';
import { describeVerdict, readVerifierLog } from './verifier-log.ts';

/** All that is known when libbpf could not load an object. */
export interface LoadFailure {
  /** Name of the object. */
  readonly object: string;
  /** The negative errno that libbpf returned. */
  readonly result: number;
  /** What libbpf said, without its 'libbpf: '. */
  readonly messages: readonly string[];
  /** What the kernel wrote into the buffer for its verifier's log. */
  readonly verifierLog: string;
  /** Whether this process has the capabilities for it. */
  readonly permitted: boolean;
  /** The file that was given as the kernel's BTF. */
  readonly btf?: string | undefined;
}

interface Explanation {
  readonly code?: ErrorCode;
  readonly reason: string;
  readonly hint?: string | readonly string[];
}

const EPERM = -1;
const E2BIG = -7;
const ENOMEM = -12;
const EACCES = -13;
const EINVAL = -22;
const ENOSPC = -28;
const NOT_SUPPORTED = [-95, -524];

const otherKernel = 'use a kernel that has it, or leave out what needs it';

/** Lines that explain nothing: libbpf went on after them, or repeats from higher up that something failed. */
const chatter =
  /BTF is optional|BTF loading error|Retrying without BTF|^Failed to bump RLIMIT_MEMLOCK|ulimit -l|^failed to load object|: failed to (?:load|prepare load attributes): |BPF program load failed/;

/**
 * Why an object could not be loaded, in one sentence, and what can be done. `subject` is the program or map that is to
 * blame, `log` all that libbpf and the kernel said.
 */
export function explainLoadFailure(failure: LoadFailure): KscopeError {
  const { messages, verifierLog, object } = failure;
  const refused = firstMatch(messages, /^prog '([^']+)': (?:BPF program load failed|failed to load)/);
  // What goes wrong before the kernel is asked has no such line.
  const program = refused ?? firstMatch(messages, /^prog '([^']+)': /);
  const map = program === undefined ? firstMatch(messages, /^map '([^']+)': failed to create/) : undefined;
  const what =
    program !== undefined
      ? `cannot load program ${escapeText(program)}`
      : map !== undefined
        ? `cannot create map ${escapeText(map)}`
        : `cannot load the BPF object of ${object}`;
  const subject = program ?? map;
  const log = { log: [...messages, verifierLog].filter((part) => part !== '').join('\n') };
  if (failure.btf !== undefined && messages.some((line) => /failed to (?:get|parse) target BTF/.test(line))) {
    return new KscopeError('usage', `'${failure.btf}' is not the BTF of a kernel`, log);
  }
  const { code = 'failed', reason, hint } = explain(failure, refused !== undefined, map !== undefined);
  return new KscopeError(code, `${what}: ${reason}`, {
    ...log,
    ...(subject !== undefined && { subject }),
    ...(hint !== undefined && { hint }),
  });
}

function explain(failure: LoadFailure, isProgram: boolean, isMap: boolean): Explanation {
  const { result, messages, permitted } = failure;
  return (
    (isProgram && explainVerdict(failure)) ||
    ((result === EPERM || result === EACCES) && !permitted && { code: 'permission', reason: errorText(result) }) ||
    explainMessages(messages) ||
    (isProgram && explainProgram(result)) ||
    (isMap ? explainMap(result) : explainRest(failure, isProgram))
  );
}

function explainVerdict({ verifierLog, permitted }: LoadFailure): Explanation | undefined {
  const verdict = readVerifierLog(verifierLog);
  if (verdict === undefined) {
    return undefined;
  }
  const advice = adviseOn(verdict.complaint);
  const hint = (advice?.overrides ? undefined : verdict.suggestion) ?? advice?.hint;
  // The kernel's explanation, where there is one, is better than ours; what is missing is best said as that.
  const plainly = verdict.suggestion === undefined || advice?.overrides ? advice?.reason : undefined;
  const reason =
    plainly === undefined ? `the verifier refused it: ${describeVerdict(verdict)}` : describeVerdict(verdict, plainly);
  const code = advice?.unsupported ? 'unsupported' : !permitted && advice?.permission ? 'permission' : 'failed';
  return { code, reason, ...(hint !== undefined && { hint }) };
}

/** What libbpf found out before it asked the kernel. */
function explainMessages(messages: readonly string[]): Explanation | undefined {
  const find = (pattern: RegExp) => firstMatch(messages, pattern);
  if (find(/(failed to find valid kernel BTF|Error loading vmlinux BTF|BTF is required)/) !== undefined) {
    return {
      code: 'unsupported',
      reason: 'the kernel has no BTF',
      hint: ['use a kernel built with CONFIG_DEBUG_INFO_BTF', 'or give its BTF with --btf FILE'],
    };
  }
  // libbpf looks into the modules for a type that the kernel proper does not have.
  if (find(/(failed to iterate BTF objects: -1)$/) !== undefined) {
    return { code: 'permission', reason: 'the types of kernel modules are shown to root alone (CAP_SYS_ADMIN)' };
  }
  const target = find(/failed to find kernel BTF type ID of '([^']+)'/);
  if (target !== undefined) {
    return {
      code: 'unsupported',
      reason: `the kernel's BTF does not have ${escapeText(target)}`,
      hint: 'it may be inlined, have another name in this kernel, or belong to a module that is not loaded',
    };
  }
  const called = find(/^extern \(func ksym\) '([^']+)': not found/);
  if (called !== undefined) {
    return {
      code: 'unsupported',
      reason: `the kernel has no function ${escapeText(called)} for programs`,
      hint: otherKernel,
    };
  }
  const unresolved = find(/^extern (?:\([^)]*\) )?'([^']+)'(?: \(strong\))?: not (?:resolved|found)/);
  if (unresolved !== undefined) {
    const name = escapeText(unresolved);
    return {
      code: 'unsupported',
      reason: name.startsWith('CONFIG_') ? `the kernel is built without ${name}` : `the kernel has no symbol ${name}`,
      hint: otherKernel,
    };
  }
  if (find(/^(failed to open system Kconfig)/) !== undefined) {
    return {
      code: 'unsupported',
      reason: "the kernel's configuration cannot be read",
      hint: 'it is looked for in /boot/config-$(uname -r) and /proc/config.gz',
    };
  }
  return undefined;
}

/** A program that the kernel refused without a verdict. */
function explainProgram(result: number): Explanation | undefined {
  switch (result) {
    case ENOSPC:
      return {
        reason: 'the verifier refused it, and the end of its log, which says why, did not fit into the buffer',
        hint: 'programs with such logs are mostly too complex: make loops shorter and branches fewer',
      };
    case E2BIG:
      return { reason: `it is too large: ${errorText(result)}`, hint: 'a program may have 1,000,000 instructions' };
    case EPERM:
    case EACCES:
      return {
        code: 'unsupported',
        reason: `this kernel refuses programs of this kind: ${errorText(result)}`,
        hint: 'a security module, the lockdown mode or a container may forbid them: dmesg may tell',
      };
    default:
      return undefined;
  }
}

function explainMap(result: number): Explanation {
  switch (result) {
    case EPERM:
      return {
        code: 'permission',
        reason: errorText(result),
        hint: 'before Linux 5.11, maps count as locked memory: raise that limit (ulimit -l unlimited)',
      };
    case EINVAL:
      return {
        reason: `the kernel does not take its type or its sizes: ${errorText(result)}`,
        hint: 'it needs at least one entry; a ring buffer, a power of two and whole pages',
      };
    case E2BIG:
    case ENOMEM:
      return { reason: `it is too large: ${errorText(result)}`, hint: 'make it smaller' };
    default:
      return { code: NOT_SUPPORTED.includes(result) ? 'unsupported' : 'failed', reason: errorText(result) };
  }
}

function explainRest({ result, messages }: LoadFailure, isProgram: boolean): Explanation {
  const said = messages.find((line) => !chatter.test(line));
  if (said === undefined && isProgram && result === EINVAL) {
    // The verifier was not even asked: the kernel does not know the type, or a flag of it.
    return {
      code: 'unsupported',
      reason: `the kernel does not know programs of this kind: ${errorText(result)}`,
      hint: otherKernel,
    };
  }
  if (said !== undefined && result === EPERM && /Couldn't load trivial BPF program/.test(said)) {
    return {
      code: 'permission',
      reason: errorText(result),
      hint: [
        'a container or a security module may forbid BPF',
        'before Linux 5.11, the limit of locked memory may be too low (ulimit -l unlimited)',
      ],
    };
  }
  const code = NOT_SUPPORTED.includes(result) ? 'unsupported' : 'failed';
  return { code, reason: said === undefined ? errorText(result) : escapeText(said.replace(/^prog '[^']+': /, '')) };
}

function firstMatch(messages: readonly string[], pattern: RegExp): string | undefined {
  for (const line of messages) {
    const found = pattern.exec(line);
    if (found !== null) {
      return found[1];
    }
  }
  return undefined;
}
