import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import withoutPrograms from '../../bpf/tplist.bpf.ts';
import type { ChoiceRules } from '../../lib/bpf/choose.ts';
import { parseArguments } from '../../lib/cli/command.ts';
import { ownCommands } from '../../lib/cli/own-commands.ts';
import { Registry } from '../../lib/cli/registry.ts';
import { hookEntries } from '../../lib/gen/hook-lines.ts';
import { manPage, manPages, readMeasured, writeManPages } from '../../lib/gen/man.ts';
import { roffProse, roffText } from '../../lib/gen/roff.ts';
import { commonOptions } from '../../lib/shapes/common-options.ts';
import { longName } from '../../lib/shapes/options.ts';
import { column, fakeTool } from '../helpers/fake-tool.ts';
import { assertGolden } from '../helpers/golden.ts';
import { wordsOf } from '../helpers/usual-arguments.ts';

const committed = fileURLToPath(new URL('../../../man/', import.meta.url));

function has(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
}

// Bold is printed as a character, a backspace and the character.
const overstruck = new RegExp(`.${String.fromCharCode(8)}`, 'g');

/** The page as a reader sees it. */
function render(page: string): string {
  return spawnSync('mandoc', ['-T', 'utf8', '-O', 'width=400', '-K', 'utf-8'], {
    input: page,
    encoding: 'utf8',
  }).stdout.replaceAll(overstruck, '');
}

/** What the formatter says against it. A page has no date, so that it changes only when its content does. */
function complaints(page: string): string {
  const { stdout } = spawnSync('mandoc', ['-T', 'lint', '-W', 'all'], { input: page, encoding: 'utf8' });
  return stdout
    .split('\n')
    .filter((line) => line !== '' && !line.includes('missing date'))
    .join('\n');
}

const hostile = [
  '.SH not a section',
  "'br not a request",
  'back\\slash \\fB and \\n(xx',
  '-p --pid a-b',
  '"quoted" \'single\' `back` ^ ~',
  'é 日本 ÿ',
  'a.b ... .',
];

test('nothing in a text is taken for a request or an escape', { skip: !has('mandoc') }, () => {
  for (const text of hostile) {
    const page = `.TH X 8 "" x x\n.SH NAME\nx \\- x\n.SH TEXT\n${roffProse(text).join('\n')}\n`;
    const shown = render(page);
    assert.ok(shown.replace(/\s+/g, ' ').includes(text), `${text}\n${shown}`);
    assert.equal(complaints(page), '');
  }
});

test('control characters do not reach the page', () => {
  assert.equal(roffText('a\x1b[31m\x07b\nc\td'), 'a[31mb c d');
});

test('long prose is wrapped without a line becoming a request', () => {
  const lines = roffProse(`${'word '.repeat(40)}${'.dot '.repeat(40)}`);
  assert.ok(lines.length > 4);
  for (const line of lines) {
    assert.ok(line.length <= 80, line);
    assert.doesNotMatch(line, /^[.']/);
  }
});

const tool = fakeTool(async function* () {}, {
  skeleton: withoutPrograms,
  description: 'Sees what open(2) does.\n\n.Second paragraph, with --failed and a \\backslash.',
  overhead: 'About 1% of a `busy` loop.',
  positionals: [{ key: 'interval', name: '[interval]', summary: 'seconds between two tables', parse: Number }],
  aliases: { 'three-rows': ['--rows', '3'] },
});

test('a page has everything that the definition says', () => {
  assertGolden('man/rows.8', manPage('rows', tool));
});

test('a page says who needs CAP_NET_ADMIN, and when', async () => {
  const pages = await manPages(new Registry());
  const needs = (name: string) =>
    (/^Needs root.*?(?=\n\\fBkscope)/ms.exec(pages.get(`${name}.8`) ?? '')?.[0] ?? '')
      .replaceAll(/\\fB|\\fR|\\(?=-)/g, '')
      .replaceAll('\n', ' ');
  const tracing = 'Needs root, or CAP_BPF and CAP_PERFMON';
  assert.deepEqual(['opensnoop', 'dnssnoop', 'tcpconnect', 'udplife'].map(needs), [
    `${tracing}.`,
    'Needs root, or CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN.',
    `${tracing}; with --dns, CAP_NET_ADMIN as well.`,
    `${tracing}; where functions of the kernel cannot be hooked, CAP_NET_ADMIN as well.`,
  ]);
});

test('a page passes the formatters', { skip: !has('mandoc') }, () => {
  const page = manPage('rows', tool);
  const text = render(page);
  assert.equal(complaints(page), '');
  for (const section of [
    'NAME',
    'SYNOPSIS',
    'DESCRIPTION',
    'OPTIONS',
    'FIELDS',
    'HOOKS',
    'OVERHEAD',
    'EXAMPLES',
    'EXIT STATUS',
    'SEE ALSO',
  ]) {
    assert.match(text, new RegExp(`^${section}$`, 'm'));
  }
});

test('groff has nothing to warn of', { skip: !has('groff') }, () => {
  const { status, stderr } = spawnSync('groff', ['-man', '-ww', '-Tutf8', '-K', 'utf8', '-z'], {
    input: manPage('rows', tool),
    encoding: 'utf8',
  });
  assert.equal(stderr, '');
  assert.equal(status, 0);
});

test('a field without text stands among the fields, with how to get it', () => {
  const page = manPage(
    'rows',
    fakeTool(async function* () {}, {
      skeleton: withoutPrograms,
      columns: () => [{ ...column('pid', 'pid_t', { header: 'PROC' }), help: 'process id' }],
      schema: () => ({ properties: { type: { const: 'event' }, pid: {}, extra: { description: 'something more' } } }),
    }),
  );
  assert.match(page, /\\fBpid\\fR \(PROC\)\nProcess id\.\n/);
  assert.match(page, /\\fBextra\\fR\nSomething more\. With \\fB\\-\\-json\\fR or \\fB\\-\\-fields\\fR only\.\n/);
  assert.doesNotMatch(page, /\\fBtype\\fR/);
});

test('pages of tools that are no more are removed, those written by hand are not', async () => {
  const root = mkdtempSync(join(tmpdir(), 'kscope-man-'));
  const man = join(root, 'man');
  for (const folder of [man, join(root, 'dist/tools')]) {
    mkdirSync(folder, { recursive: true });
  }
  for (const name of ['kscope.8', 'old.8', 'README']) {
    writeFileSync(join(man, name), '');
  }
  const fake = fileURLToPath(new URL('../fixtures/tools/rows.js', import.meta.url));
  const object = fileURLToPath(new URL('../../bpf/tplist.bpf.js', import.meta.url));
  const lines = [
    `import fake from ${JSON.stringify(fake)};`,
    `import skeleton from ${JSON.stringify(object)};`,
    'export default { ...fake, skeleton };',
  ];
  writeFileSync(join(root, 'dist/tools/rows.js'), lines.join('\n'));
  assert.deepEqual(await writeManPages(join(root, 'dist'), man), ['rows.8', 'three-rows.8']);
  assert.deepEqual(readdirSync(man).sort(), ['README', 'kscope.8', 'rows.8', 'three-rows.8']);
  assert.equal(readFileSync(join(man, 'three-rows.8'), 'utf8'), '.so man8/rows.8\n');
  rmSync(root, { recursive: true });
});

test('the committed pages are those of the tools', async () => {
  const measured = readMeasured(fileURLToPath(new URL('../../../test/bench/measured.json', import.meta.url)));
  const pages = await manPages(new Registry(), measured);
  assert.deepEqual(readdirSync(committed).sort(), [...pages.keys(), 'kscope.8'].sort());
  for (const [file, page] of pages) {
    assert.equal(readFileSync(join(committed, file), 'utf8'), page, `man/${file} is stale: npm run docs writes it`);
  }
});

test('the page of kscope names its commands and the options of every tool', () => {
  const page = readFileSync(join(committed, 'kscope.8'), 'utf8').replaceAll('\\-', '-');
  for (const name of Object.keys(ownCommands)) {
    assert.ok(page.includes(`\\fB${name}\\fR`), name);
  }
  for (const option of Object.values(commonOptions)) {
    assert.ok(page.includes(`\\fB--${longName(option)}\\fR`), option.flags);
  }
});

test('every page passes the formatters', { skip: !has('mandoc') }, async () => {
  const files = readdirSync(committed);
  for (const file of files) {
    const page = readFileSync(join(committed, file), 'utf8');
    // The page of an alias is a request to show another one, which man(1) finds and the formatter alone does not.
    const other = /^\.so man8\/(.+)\n$/.exec(page)?.[1];
    assert.ok(other === undefined || files.includes(other), file);
    assert.equal(other === undefined ? complaints(page) : '', '', file);
  }
});

test('what a run printed keeps its columns, and nothing in it is a request', { skip: !has('mandoc') }, () => {
  const output = "\n  PID  COMM\n.SH  'x'  \\fB\n";
  const page = manPage('rows', {
    ...tool,
    samples: [
      { before: 'It was so:', args: '-x', output, after: 'That is all.' },
      { before: 'And again:', args: '', output: 'none', after: 'No more.' },
    ],
  });
  assert.equal(complaints(page), '');
  assert.match(
    render(page),
    /It was so:\n\s+# rows -x\n\s+ {2}PID {2}COMM\n\s+\.SH {2}'x' {2}\\fB\n\n?\s+That is all\.\n\n\s+And again:\n\s+# rows\n/,
  );
});

test('what tools are said to have printed has columns that they have', async () => {
  const tools = await new Registry().loadAll();
  const runs = [...tools].flatMap(([name, one]) => (one.samples ?? []).map((sample) => ({ name, one, ...sample })));
  for (const { name, one, args, output } of runs) {
    // Distributions have a line of their own for each unit, and stacks and documents no columns.
    if (/^(histogram|stacks)$/.test(one.shape) || / distribution\n/.test(output) || /^\n?[{-]/.test(output)) {
      continue;
    }
    // What comes behind is a command to trace.
    const [own = ''] = args.split(' -- ');
    const parsed = parseArguments(name, one, wordsOf(own));
    const headers = new Set(
      one.columns(parsed.kind === 'run' ? parsed.values : {}).flatMap(({ header }) => header.split(' ')),
    );
    const [line = ''] = output.split('\n').filter((line) => !/^$| loadavg: |^[\d:]+$/.test(line));
    const header = line.split(' ').filter(Boolean);
    assert.deepEqual(
      header.filter((word) => !headers.has(word) && !headers.has(word.replace(/\/s$/, ''))),
      [],
      name,
    );
  }
});

/** Words that say what a figure is from. */
const measuredHow = /\b[Mm]easured\b|\brun time of the program|\bvirtual machine\b|\bemulated (machine|guest)\b/;

test('the page of every tool has all its parts: a run with its output, fields, hooks, a figure of what it costs, limits', async () => {
  const measured = readMeasured(fileURLToPath(new URL('../../../test/bench/measured.json', import.meta.url)));
  const pages = await manPages(new Registry(), measured);
  const lacking = [...(await new Registry().loadAll())].flatMap(([name, { samples = [], overhead, description }]) => {
    const page = pages.get(`${name}.8`) ?? '';
    const section = (title: string) => new RegExp(`\n\\.SH ${title}\n(.+?)\n\\.SH `, 's').exec(page)?.[1] ?? '';
    const costs = [overhead, measured[name] ?? ''].join(' ');
    const parts = {
      'an example with its output, and what it tells':
        samples.length > 0 && samples.every((run) => [run.before, run.output, run.after].every((text) => text.trim())),
      'what its fields mean': section('FIELDS').includes('\n\\fB'),
      'where it is attached': /^(\.TP\n.+\n\S|None|Those)/.test(section('HOOKS')),
      'a figure of what it costs': /\d (ns|µs|ms|s|%|times|microseconds?)(?!\w)/.test(costs),
      'where that figure is from': measuredHow.test(costs),
      'what it does not do': /\b(not?|only|neither|none|nothing|nobody|without)\b/.test(description),
    };
    return Object.entries(parts).flatMap(([part, there]) => (there ? [] : [`${name}: ${part}`]));
  });
  assert.deepEqual(lacking, []);
});

test('hooks are said by how they are chosen', () => {
  const hooks = (rules: ChoiceRules, sections: Readonly<Record<string, string>>) => {
    const programs = Object.entries(sections).map(([name, section]) => ({ name, section }));
    return hookEntries(programs, rules).map(([term, meaning]) => `${term}: ${meaning}`);
  };
  assert.deepEqual(
    hooks(
      { optional: ['new__tp'], unwanted: ['extra'], either: [['a', 'a2', 'new__tp'], ['b']] },
      {
        a: 'fexit/a',
        a2: 'fentry/a',
        b: 'tp/sched/b',
        new__tp: 'tp/syscalls/sys_exit_new',
        extra: 'tp/skb/extra',
        always: 'iter/task',
        sample: 'perf_event',
        user: 'uprobe',
        other: 'uretprobe',
      },
    ),
    [
      'Usually: iter task',
      'The first that the kernel has: fexit a, fentry a; or tracepoint sched:b',
      'Where the kernel has it: tracepoint syscalls:sys_exit_new',
      'With some options: tracepoint skb:extra',
      'At places that are chosen when it starts: uprobe, uretprobe',
      'At samples of processors: perf_event',
    ],
  );
  const twins = Object.fromEntries(
    ['read', 'write'].flatMap((name) => ['kprobe', 'fexit'].map((kind) => [`${name}__${kind}`, `${kind}/vfs_${name}`])),
  );
  assert.deepEqual(hooks({}, twins), [
    'The first that the kernel has: fexit vfs_read and vfs_write; or kprobe vfs_read and vfs_write',
  ]);
  assert.deepEqual(hooks({ optional: Object.keys(twins) }, twins), [
    'The first that the kernel has, if any: fexit vfs_read and vfs_write; or kprobe vfs_read and vfs_write',
  ]);
  assert.deepEqual(hooks({ either: [['x'], ['y']] }, { x: 'tp_btf/sys_enter', y: 'tp_btf/sys_enter' }), [
    'Usually: tp_btf sys_enter',
  ]);
});

test('what was measured is a paragraph of its own in OVERHEAD', () => {
  const some = { ...tool, overhead: 'Some nanoseconds.' };
  assert.match(
    manPage('rows', some, 'Measured here.'),
    /\n\.SH OVERHEAD\nSome nanoseconds\.\n\.PP\nMeasured here\.\n\.SH /,
  );
  assert.match(manPage('rows', { ...tool, overhead: '' }, 'Measured here.'), /\n\.SH OVERHEAD\nMeasured here\.\n\.SH /);
  assert.doesNotMatch(manPage('rows', { ...tool, overhead: '' }), /OVERHEAD/);
});
