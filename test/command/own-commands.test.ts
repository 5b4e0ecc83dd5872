import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aliasesOf, Registry } from '../../lib/cli/registry.ts';
import { areas } from '../../lib/model/areas.ts';
import { assertRefused, runCommand } from '../helpers/refused.ts';
import { toolCommand } from '../helpers/run-tool.ts';

const tools = await new Registry().loadAll();
const aliases = aliasesOf(tools);

/** What a command of kscope prints, when nothing is wrong. */
async function said(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCommand(toolCommand('kscope', args));
  assert.deepEqual([code, stderr], [0, ''], args.join(' '));
  return stdout;
}

test('list has a line for each command below what it is about, and says what aliases stand for', async () => {
  const groups = (await said('list'))
    .trimEnd()
    .split('\n\n')
    .map((group) => group.split('\n'));
  const titles = groups.map(([title]) => title);
  const used = new Set([...tools.values()].map(({ area }) => `${areas[area]}:`));
  assert.deepEqual(
    titles,
    Object.values(areas)
      .map((title) => `${title}:`)
      .filter((title) => used.has(title)),
  );
  const lines = groups.flatMap(([, ...members]) => members);
  const names = lines.map((line) => /^ {2}(\S+) /.exec(line)?.[1] ?? '');
  assert.deepEqual([...names].sort(), [...tools.keys(), ...aliases.keys()].sort());
  for (const [i, line] of lines.entries()) {
    const name = names[i] ?? '';
    const alias = aliases.get(name);
    const purpose = alias === undefined ? tools.get(name)?.summary : [alias.tool, ...alias.args].join(' ');
    assert.equal(line.slice(2 + name.length).trimStart(), purpose);
  }
  for (const [, ...members] of groups) {
    assert.deepEqual(members, [...members].sort());
  }
});

test('list --json has an object for each tool', async () => {
  const rows = (await said('list', '--json'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    rows.map(({ name, summary, area, shape }) => ({ name, summary, area, shape })),
    [...tools].map(([name, { summary, area, shape }]) => ({ name, summary, area, shape })),
  );
  const found = rows.flatMap((row) => Object.entries(row.aliases).map(([name, args]) => [name, row.name, args]));
  assert.deepEqual(found.sort(), [...aliases].map(([name, { tool, args }]) => [name, tool, args]).sort());
});

test('schema is a JSON Schema of the lines of a tool, also by an alias', async () => {
  const [[alias = '', { tool = '' } = {}] = []] = aliases;
  const schema = JSON.parse(await said('schema', tool));
  assert.match(schema.$schema, /^https:\/\/json-schema\.org\//);
  assert.ok(JSON.stringify(schema).includes('"const":"ready"'));
  assert.deepEqual(JSON.parse(await said('schema', alias)), schema);
  const result = await runCommand(toolCommand('kscope', ['schema', `${tool}x`]));
  const says = `kscope: unknown command '${tool}x'`;
  assertRefused(result, { code: 2, says, hints: [new RegExp(tool), /./] });
});

test('completion is a script for each shell, and no other', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    assert.ok((await said('completion', shell)).includes([...tools.keys()][0] ?? ''), shell);
  }
  const { code } = await runCommand(toolCommand('kscope', ['completion', 'sh']));
  assert.equal(code, 2);
});
