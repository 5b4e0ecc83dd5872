import { escapeText } from '../model/escape.ts';

/** What the kernel's verifier says about a program that it refused. Every text is one escaped line of bounded length. */
export interface Verdict {
  /** Why, without a final full stop: the explanation of Linux 7.3 and later, else the complaint. */
  readonly reason: string;
  /** The terse words that every kernel ends with: "R0 invalid mem access 'map_value_or_null'". */
  readonly complaint: string;
  /** 'opens.bpf.c:12: *count += 1;' or as much of that as the log tells; the instruction where there is no source. */
  readonly where?: string;
  /** What the kernel suggests to do (Linux 7.3 and later). */
  readonly suggestion?: string;
}

// A verdict is at the end of a log. The longest explanation, with the path that led to it, has been seen at 100 KB.
const windowLength = 512 * 1024;
const textLength = 500;
const codeLength = 120;
const verdictLines = 3;

/** Statistics, and the two states that the verifier compared before it called a loop endless. */
const trailer = /^(?:processed \d|verification time|stack depth|(?:cur|old) state:|$)/;

/** Lines about the way to the verdict: source, instructions, states, and what the verifier says about harmless things. */
const trace = new RegExp(
  [
    ';|\\s|$|\\d+: |from \\d+ to \\d+',
    'R\\d+(?:_\\w+)?=|frame ?\\d+: |caller:|callee:|returning from callee:|to caller at ',
    'regs=|last_idx |parent |mark_precise: |propagating ',
    "func '[^']*' arg\\d+ has btf_id",
    'arg#\\d+ (?:type |reference )|Unrecognized arg#|reg type unsupported for arg#|invalid kernel function btf_id ',
    'Validating |Func#\\d+ ',
  ]
    .map((words) => `^(?:${words})`)
    .join('|'),
);

/** Where the verifier starts with another function: what comes before is not about this one. */
const otherFunction = /^(?:Validating |Func#\d+ )/;
const instruction = /^(\d+): (?:\([0-9a-f]{2}\) ([^;]*)|<)/;
const report = 'Verification failed: ';

/**
 * The verdict in a verifier's log of any kernel since 5.10.
 * @returns undefined when there is none: no log, one whose end was cut off, or what the kernel says about type
 * information, which libbpf puts into the same buffer
 */
export function readVerifierLog(log: string): Verdict | undefined {
  if (log.startsWith('magic: 0x')) {
    return undefined;
  }
  const lines = log.slice(-windowLength).split('\n');
  const last = lines.pop() ?? '';
  // Whole logs end with the end of a line; a part of one could look like anything.
  if (trailer.test(last)) {
    lines.push(last);
  }
  const start = lines.findLastIndex((line) => line.startsWith(report));
  return start < 0 ? readLines(lines) : readReport(lines, start);
}

/** `reason` and place of a verdict; another text may stand for the reason. */
export function describeVerdict({ reason, where }: Verdict, words = reason): string {
  return where === undefined ? words : `${words} (${where})`;
}

/** What all kernels print: the way to the verdict, instruction by instruction, and the verdict. */
function readLines(lines: readonly string[], end = lines.length): Verdict | undefined {
  let at = end - 1;
  while (at >= 0 && trailer.test(lines[at] ?? '')) {
    at--;
  }
  const verdict: string[] = [];
  for (; at >= 0 && verdict.length < verdictLines && !trace.test(lines[at] ?? ''); at--) {
    verdict.unshift(plain(lines[at] ?? '', textLength));
  }
  if (verdict.length === 0) {
    return undefined;
  }
  const complaint = shorten(withoutStop(verdict.join('; ')), textLength);
  const where = findPlace(lines, at);
  return { reason: complaint, complaint, ...(where !== undefined && { where }) };
}

/** The source line, or else the instruction, that the lines up to `at` end in. */
function findPlace(lines: readonly string[], at: number): string | undefined {
  let step: string | undefined;
  for (let i = at; i >= 0; i--) {
    const line = (lines[i] ?? '').slice(0, 4 * textLength);
    if (otherFunction.test(line)) {
      break;
    }
    const found = instruction.exec(line);
    if (found !== null) {
      step ??= stepText(found[1] ?? '', found[2]);
    } else if (step !== undefined && line.startsWith(';')) {
      // '; *count += 1; @ opens.bpf.c:12', without the place before Linux 6.8, and without code where there is none.
      const [, code = '', file, number = ''] = /^; ?(.*?)(?: @ ([^@ ]*):(\d+))?$/s.exec(line) ?? [];
      if (code.trim() !== '') {
        return sourceText(code, file, number) ?? step;
      }
    }
  }
  return step;
}

/** Undefined when there is nothing to tell: a lone brace. */
function sourceText(code: string, file: string | undefined, line: string): string | undefined {
  const text = /\w/.test(code) ? plain(code, codeLength) : '';
  const place = file === undefined ? '' : `${plain(file, codeLength)}:${line}`;
  return [place, text].filter((part) => part !== '').join(': ') || undefined;
}

function stepText(number: string, text: string | undefined): string {
  return text === undefined ? `instruction ${number}` : `instruction ${number}: ${plain(text, codeLength)}`;
}

/** Linux 7.3: under the verdict a report with titles and indented text. */
function readReport(lines: readonly string[], start: number): Verdict | undefined {
  const sections = new Map<string, string[]>();
  let section: string[] = [];
  for (const line of lines.slice(start + 1)) {
    const title = /^([A-Z][A-Za-z ]{0,40}):$/.exec(line)?.[1];
    if (title !== undefined) {
      section = [];
      // Only the first of a kind belongs to the report: later ones would be the program's own text.
      if (!sections.has(title)) {
        sections.set(title, section);
      }
    } else if (line.startsWith('  ')) {
      section.push(line.slice(2));
    } else if (line !== '') {
      break;
    }
  }
  const classic = readLines(lines, start);
  const heading = (lines[start] ?? '').slice(report.length).replace(/^[\w ]+: /, '');
  const reason = paragraph(sections.get('Reason') ?? [heading]);
  const suggestion = paragraph(sections.get('Suggestion') ?? []);
  const where = reportedPlace(sections.get('At') ?? []) ?? classic?.where;
  return {
    reason,
    complaint: classic?.complaint ?? reason,
    ...(where !== undefined && { where }),
    ...(suggestion !== '' && { suggestion }),
  };
}

/** 'function @ file:line:column', then source with the line marked; or 'insn N', then instructions. */
function reportedPlace(lines: readonly string[]): string | undefined {
  const [head = ''] = lines;
  const marked = lines.map((line) => /^>>> +(\d+) \|(.*)$/s.exec(line)).find((found) => found !== null);
  const [, number = '', text = ''] = marked ?? [];
  const [, file, line] = /^(?:[^ ]+ @ )?([^@ ]+):(\d+):\d+$/.exec(head) ?? [];
  if (file !== undefined) {
    return sourceText(text, file, line ?? '');
  }
  return marked === undefined ? undefined : stepText(number, text.replace(/^ *\([0-9a-f]{2}\) /, ''));
}

/** As a part of our sentence: it begins small, unless with the name of a register or the like. */
function paragraph(lines: readonly string[]): string {
  const text = withoutStop(plain(lines.slice(0, 20).join(' '), textLength));
  return text.replace(/^[A-Z](?=[a-z]*(?: |$))/, (letter) => letter.toLowerCase());
}

function withoutStop(text: string): string {
  return text.endsWith('.') && !text.endsWith('..') ? text.slice(0, -1) : text;
}

/** One line that is safe to print. A backslash stays: it is the program's source that is quoted. */
function plain(text: string, length: number): string {
  const line = text
    .slice(0, 4 * length)
    .replace(/[\t ]+/g, ' ')
    .trim();
  return shorten(line.replace(/[^\\]+/g, escapeText), length);
}

function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).trimEnd()}…`;
}
