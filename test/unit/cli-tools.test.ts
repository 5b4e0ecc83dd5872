// Every definition in tools/, whatever it is: what the command line, the help and the manual rely on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { helpText, parseArguments, splitCommand } from '../../lib/cli/command.ts';
import { ownCommands } from '../../lib/cli/own-commands.ts';
import { aliasesOf, Registry } from '../../lib/cli/registry.ts';
import { defaultValues } from '../../lib/cli/values.ts';
import { KscopeError } from '../../lib/model/errors.ts';
import { commonOptions } from '../../lib/shapes/common-options.ts';
import { tracesCommands } from '../../lib/shapes/definition.ts';
import { longName } from '../../lib/shapes/options.ts';

const tools = await new Registry().loadAll();

test('there are tools, and neither they nor their aliases hide a command of kscope', () => {
  assert.ok(tools.size > 0);
  for (const name of [...tools.keys(), ...aliasesOf(tools).keys()]) {
    assert.ok(!Object.hasOwn(ownCommands, name) && name !== 'kscope', name);
  }
});

/** Splits an example as a shell would, as far as examples go. */
function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

for (const [name, tool] of tools) {
  test(`${name}: no letter or name is used twice, and every spelling is understood`, () => {
    const needed = tool.positionals.filter((positional) => positional.name.startsWith('<'));
    const given = needed.length === 0 ? [] : words(Object.keys(tool.examples)[0] ?? '');
    const parsed = parseArguments(name, tool, given);
    assert.equal(parsed.kind, 'run');
    const values = parsed.kind === 'run' ? { ...parsed.values } : {};
    for (const { key } of needed) {
      assert.notEqual(values[key], undefined);
      values[key] = undefined;
    }
    // An example may need options, too.
    const defaults = defaultValues(tool);
    for (const [key, { flags }] of Object.entries(tool.options)) {
      if (flags.split(/[ ,]+/).some((flag) => given.includes(flag))) {
        values[key] = defaults[key];
      }
    }
    assert.deepEqual(values, defaults);
  });

  test(`${name}: an unknown option is refused, and no argument`, () => {
    assert.throws(
      () => parseArguments(name, tool, ['--nope\n']),
      new KscopeError('usage', "unknown option '--nope\n'", { hint: `${name} --help` }),
    );
  });

  test(`${name}: the options that every tool has are there`, () => {
    for (const [key, option] of Object.entries(commonOptions)) {
      const own = tool.options[key];
      assert.ok(own !== undefined, key);
      assert.equal(longName(own), longName(option));
    }
  });

  test(`${name}: its examples are command lines that it takes`, () => {
    assert.ok(Object.keys(tool.examples).length > 0);
    for (const args of Object.keys(tool.examples)) {
      const [own, command] = splitCommand(words(args));
      assert.equal(parseArguments(name, tool, own).kind, 'run', args);
      assert.ok(command.length === 0 || tracesCommands(tool), args);
    }
    for (const args of Object.values(tool.aliases)) {
      assert.equal(parseArguments(name, tool, args).kind, 'run', args.join(' '));
    }
  });

  test(`${name}: its help fits a terminal of 80 columns`, () => {
    for (const line of helpText(name, tool).split('\n')) {
      assert.ok(line.length <= 80, line);
    }
  });

  test(`${name}: an option that its text mentions is one that it has`, () => {
    const known = new Set(Object.values(tool.options).map((option) => `--${longName(option)}`));
    for (const [mentioned] of `${tool.description} ${tool.overhead}`.matchAll(/--[a-z][a-z-]+/g)) {
      assert.ok(known.has(mentioned), mentioned);
    }
  });

  test(`${name}: conflicts name options that it has`, () => {
    for (const { flags, conflicts = [] } of Object.values(tool.options)) {
      for (const key of conflicts) {
        assert.ok(Object.hasOwn(tool.options, key), `${flags}: ${key}`);
      }
    }
  });
}
