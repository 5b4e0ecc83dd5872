import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainLoadFailure, type LoadFailure } from '../../lib/bpf/load-error.ts';
import { describeVerdict, readVerifierLog } from '../../lib/bpf/verifier-log.ts';
import { assertGolden } from '../helpers/golden.ts';
import { recordedKernels, recordedRefusals } from '../helpers/recorded-refusals.ts';

/** The verdict in one line; empty when the log has none. */
function lineOf(verifierLog: string): string {
  const verdict = readVerifierLog(verifierLog);
  return verdict === undefined ? '' : describeVerdict(verdict);
}

const statistics = 'processed 7 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0\n';

/** The end of a log, as kernels write it. */
function log(...lines: readonly string[]): string {
  return `${lines.join('\n')}\n${statistics}`;
}

function explain(failure: Partial<LoadFailure>): readonly [code: string, message: string, ...hints: string[]] {
  const { code, message, hints } = explainLoadFailure({
    object: 'thing',
    result: -22,
    messages: [],
    verifierLog: '',
    permitted: true,
    ...failure,
  });
  return [code, message, ...hints];
}

for (const kernel of recordedKernels) {
  test(`what is said about refusals by Linux ${kernel}`, () => {
    const said = recordedRefusals(kernel).map(({ title, ...failure }) => {
      const [code, ...lines] = explain(failure);
      return [`${title}: ${code}`, lines[0], ...lines.slice(1).map((hint) => `hint: ${hint}`), ''].join('\n');
    });
    assertGolden(`refusals/${kernel}.txt`, said.join('\n'));
  });

  test(`a log of Linux ${kernel} without its end says nothing rather than something wrong`, () => {
    for (const { title, verifierLog } of recordedRefusals(kernel)) {
      const whole = readVerifierLog(verifierLog);
      if (whole === undefined || verifierLog.length > 10_000 || verifierLog.includes(' bytes left out]\n')) {
        continue;
      }
      for (let end = verifierLog.indexOf('\n'); end >= 0; end = verifierLog.indexOf('\n', end + 1)) {
        // At the end of a line, and within it.
        for (const part of [verifierLog.slice(0, end + 1), verifierLog.slice(0, end - 3)]) {
          const complaint = readVerifierLog(part)?.complaint ?? '';
          // 5.10 says so about the arguments of functions that it then looks at more closely.
          const known = complaint === 'R1 is not a pointer';
          assert.ok(known || whole.complaint.includes(complaint), `${title}: ${complaint}`);
        }
      }
    }
  });
}

test('the messages of libbpf, the statistics and the states of registers are never a summary', () => {
  for (const kernel of recordedKernels) {
    for (const { verifierLog } of recordedRefusals(kernel)) {
      assert.doesNotMatch(lineOf(verifierLog), /R\d+(?:_\w+)?=|processed \d|\n|(?:cur|old) state/);
    }
  }
});

test('no verdict', () => {
  assert.equal(lineOf(''), '');
  assert.equal(lineOf('\n\n'), '');
  assert.equal(lineOf(statistics), '');
  assert.equal(lineOf(log('0: (95) exit', ' R0=inv0 R10=fp0')), '');
  assert.equal(lineOf('magic: 0xeb9f\nversion: 1\n[1] PTR (anon) type_id=3 Invalid type_id\n'), '');
});

test('a source line with a place, without one, without code, and none', () => {
  const verdict = (...lines: readonly string[]) => lineOf(log(...lines, 'R0 !read_ok'));
  assert.equal(verdict('; exit(a @ b); @ dir/a b.c:12', '0: (95) exit'), 'R0 !read_ok (exit(a @ b); @ dir/a b.c:12)');
  assert.equal(verdict('; exit(a @ b); @ dir/ab.c:12', '0: (95) exit'), 'R0 !read_ok (dir/ab.c:12: exit(a @ b);)');
  assert.equal(verdict('; one(); @ a.c:1', ';  @ a.c:0', '0: (95) exit'), 'R0 !read_ok (a.c:1: one();)');
  assert.equal(verdict('; two();', '; ', '0: (95) exit ; R0=1'), 'R0 !read_ok (two();)');
  assert.equal(verdict('; } @ a.c:3', '0: (95) exit'), 'R0 !read_ok (a.c:3)');
  assert.equal(verdict('; }', '0: (95) exit'), 'R0 !read_ok (instruction 0: exit)');
  assert.equal(verdict('12: (bf) r1 = r2    ; R1=1'), 'R0 !read_ok (instruction 12: r1 = r2)');
  assert.equal(verdict('12: <invalid CO-RE relocation>'), 'R0 !read_ok (instruction 12)');
  assert.equal(verdict('; one();', '0: (95) exit', 'Validating f() func#1...'), 'R0 !read_ok');
  assert.equal(verdict('; one();'), 'R0 !read_ok');
});

test('a report without some of its parts', () => {
  const at = ['At:', '  f @ a.c:8:9', '  Source context:', '  >>>  8 |         x = *y;', '  Instruction context:'];
  const more = ['  >>> 7 | (79) r1 = *(u64 *)(r0 +0)', ''];
  const head = ['0: (95) exit', 'R0 is bad', '', 'Verification failed: Policy: Operation is not allowed', ''];
  const reason = ['Reason:', '  Because of', '  this.', ''];
  const tell = (...parts: readonly (readonly string[])[]) => readVerifierLog(log(...parts.flat(), 'something else'));

  assert.deepEqual(tell(head, reason, at, more, ['Suggestion:', '  Do not.', '']), {
    reason: 'because of this',
    complaint: 'R0 is bad',
    where: 'a.c:8: x = *y;',
    suggestion: 'do not',
  });
  const where = 'instruction 0: exit';
  assert.deepEqual(tell(head, reason), { reason: 'because of this', complaint: 'R0 is bad', where });
  assert.deepEqual(tell(head), { reason: 'operation is not allowed', complaint: 'R0 is bad', where });
  const bounds = 'access outside bounds';
  assert.deepEqual(tell(['Verification failed: Memory Safety: Access outside bounds']), {
    reason: bounds,
    complaint: bounds,
  });
});

test('the last of two reports counts', () => {
  const report = (reason: string) => ['', 'Verification failed: A: b', '', 'Reason:', `  ${reason}`, ''];
  assert.equal(readVerifierLog(log(...report('One.'), '0: (95) exit', ...report('Two.')))?.reason, 'two');
});

test('nothing in a log steers a terminal', () => {
  const evil = '\u001b[31m\u202e\u0085\u200f\ud800\u0000\r\u007f\\x1b';
  const escaped = String.raw`\x1b[31m\u{202e}\u{85}\u{200f}\u{d800}\x00\r\x7f\x1b`;
  const lines = [`; a("${evil}"); @ ${evil}.c:3`, '0: (95) exit', `R0 ${evil}`];
  assert.equal(lineOf(log(...lines)), `R0 ${escaped} (${escaped}.c:3: a("${escaped}");)`);
  const report = ['', 'Verification failed: x: y', '', 'Reason:', `  ${evil}.`, '', 'At:', `  ${evil} @ ${evil}.c:3:1`];
  const rest = [`  >>>  3 | a("${evil}");`, '', 'Suggestion:', `  ${evil}!`, ''];
  assert.deepEqual(readVerifierLog(log(...report, ...rest)), {
    reason: escaped,
    complaint: escaped,
    where: `${escaped}.c:3: a("${escaped}");`,
    suggestion: `${escaped}!`,
  });
});

test('logs of 16 MiB', { timeout: 60_000 }, () => {
  const size = 16 * 2 ** 20;
  const step = '; for (;;) @ a.c:7\n5: (0f) r1 += r2        ; R1=0x1 R2=scalar(id=3)\nfrom 5 to 7: R0=1\n';
  const verdict = 'BPF program is too large. Processed 1000001 insn\n';
  const expected = 'BPF program is too large. Processed 1000001 insn (a.c:7: for (;;))';
  const steps = step.repeat(size / step.length);
  assert.equal(lineOf(steps + verdict + statistics), expected);
  assert.equal(lineOf(steps), '');
  const [code, message] = explain({
    result: -28,
    messages: ["prog 'p': BPF program load failed: No space left on device", "prog 'p': failed to load: -28"],
    verifierLog: steps.slice(0, -5),
  });
  assert.equal(code, 'failed');
  assert.match(message, /^cannot load program p: the verifier refused it, and the end of its log, .* did not fit/);

  for (const filler of ['\n', ' ', 'x', ';', '; @ ', '\u001b', '1: (', "func '", 'R1=', 'Reason:\n', 'type_id']) {
    const flood = filler.repeat(size / filler.length);
    for (const text of [flood, `${flood}\n`, log(flood), log('; a();', '0: (95) exit', flood), log(flood, verdict)]) {
      const summary = lineOf(text);
      assert.ok(summary.length < 2000, `${filler}: ${summary.length}`);
      assert.doesNotMatch(summary, /\p{Cc}/u);
    }
  }
  const reports = 'Verification failed: a: b\nReason:\n  c\n'.repeat(size / 40);
  assert.equal(lineOf(reports + statistics), 'c');
  const long = [
    'Verification failed: a: b',
    'Reason:',
    `  ${'word '.repeat(size / 5)}`,
    '',
    'At:',
    `  ${'@'.repeat(size)}`,
  ];
  assert.ok(lineOf(log(...long)).length < 2000);
});

test('what only other versions of libbpf say', () => {
  // libbpf 1.6 names errors instead of numbering them.
  const newer = ["map 'm': failed to create: -EINVAL", "failed to load object 'thing'"];
  const map = 'cannot create map m: the kernel does not take its type or its sizes: Invalid argument (EINVAL)';
  assert.deepEqual(explain({ messages: newer }).slice(0, 2), ['failed', map]);
  const named = ["prog 'p': BPF program load failed: -EINVAL", "prog 'p': failed to load: -EINVAL"];
  assert.equal(
    explain({ messages: named })[1],
    'cannot load program p: the kernel does not know programs of this kind: Invalid argument (EINVAL)',
  );

  const said = (...lines: readonly string[]) =>
    explain({
      messages: ["prog 'p': failed to load: -22"],
      verifierLog: log('; call();', '7: (85) call x#1', ...lines),
    });
  // Rewritten, or as it is where libbpf does not find its own mark.
  const lacks = 'cannot load program p: the kernel has no function bpf_new for programs (call();)';
  assert.deepEqual(said("kfunc 'bpf_new' is referenced but wasn't resolved").slice(0, 2), ['unsupported', lacks]);
  const raw: Readonly<Record<string, string>> = {
    'invalid func unknown#195896080': 'the kernel does not have a type, field or value that the program needs',
    'invalid func unknown#2002000345': 'the kernel does not have a function that the program calls',
    'invalid func unknown#2001000003': 'it uses a map that was not created',
  };
  for (const [line, reason] of Object.entries(raw)) {
    assert.equal(said(line)[1], `cannot load program p: ${reason} (call();)`);
  }
});

test('relocations that have no field, or one in something without a name', () => {
  const said = (spec: string) => {
    const line = `failed to resolve CO-RE relocation ${spec}`;
    const verifierLog = log('7: <invalid CO-RE relocation>', line);
    const [code, message] = explain({ messages: ["prog 'p': failed to load: -22"], verifierLog });
    assert.equal(code, 'unsupported');
    return message.replace('cannot load program p: the kernel has no ', '').replace(' (instruction 7)', '');
  };
  assert.equal(
    said('<byte_off> [7] struct a___old.b.c[3].d (0:1:3:0 @ offset 16.4)'),
    'struct a with a field b.c[3].d',
  );
  assert.equal(said('<byte_sz> [7] struct <anon>.b (0:1 @ offset 4)'), 'struct <anon> with a field b');
  assert.equal(said('<byte_off> [7] typedef a_t.b (0:1 @ offset 4)'), 'typedef a_t with a field b');
  assert.equal(said('<type_id> [12] struct a___2'), "struct a like the program's");
  assert.equal(said('<enumval_value> [3] enum e___x::A = 18446744073709551615'), 'enum e with a value A');
});

test('what libbpf went on after is not the reason', () => {
  const messages = [
    'Failed to bump RLIMIT_MEMLOCK (err = -1), you might need to do it explicitly!',
    'BTF loading error: -22',
    'Error loading .BTF into kernel: -22. BTF is optional, ignoring.',
    'Error in bpf_create_map_xattr(m):Invalid argument(-22). Retrying without BTF.',
    "prog 'p': relo #3: relocation decision ambiguity: success 16 != success 24",
    "prog 'p': failed to load: -22",
    "failed to load object 'thing'",
  ];
  const reason = 'cannot load program p: relo #3: relocation decision ambiguity: success 16 != success 24';
  assert.deepEqual(explain({ messages }), ['failed', reason]);
  const chatter = messages.filter((line) => !line.includes('relo'));
  assert.equal(
    explain({ messages: chatter.slice(0, 4) })[1],
    'cannot load the BPF object of thing: Invalid argument (EINVAL)',
  );
});

test('a program that never gets as far as the kernel', () => {
  const messages = ["prog 'p': relo #3: no such thing", 'failed to perform CO-RE relocations: -7'];
  const { message, subject } = explainLoadFailure({
    object: 'thing',
    result: -7,
    messages,
    verifierLog: '',
    permitted: true,
  });
  assert.deepEqual([message, subject], ['cannot load program p: relo #3: no such thing', 'p']);
});

test('names and messages that steer a terminal are escaped', () => {
  const evil = '\u001b[31m';
  const messages = [
    [`prog '${evil}': failed to load: -22`],
    [`map '${evil}': failed to create: -22`],
    [`extern (func ksym) '${evil}': not found in kernel or module BTFs`],
    [`extern '${evil}' (strong): not resolved`],
    [`prog 'p': failed to find kernel BTF type ID of '${evil}': -3`],
    [`something ${evil}`],
  ];
  for (const lines of messages) {
    const [, message] = explain({ messages: lines });
    assert.ok(message.includes('\\x1b[31m'), message);
    assert.ok(!message.includes('\u001b'), message);
  }
});

test('a file that is no BTF is a mistake of the user', () => {
  const messages = ['failed to parse target BTF: -22', "failed to load object 'thing'"];
  assert.deepEqual(explain({ messages, btf: '/etc/passwd' }), ['usage', "'/etc/passwd' is not the BTF of a kernel"]);
});

test('the log is all that was said, the subject who is to blame', () => {
  const messages = ["prog 'p': BPF program load failed: Permission denied", "prog 'p': failed to load: -13"];
  const verifierLog = log('0: (95) exit', 'R0 !read_ok');
  const failure = { object: 'thing', result: -13, messages, verifierLog, permitted: true };
  const { log: said, subject } = explainLoadFailure(failure);
  assert.equal(said, `${messages.join('\n')}\n${verifierLog}`);
  assert.equal(subject, 'p');
  assert.equal(explainLoadFailure({ ...failure, messages: [] }).subject, undefined);
  assert.equal(explainLoadFailure({ ...failure, messages: ["map 'm': failed to create: -22"] }).subject, 'm');
});
