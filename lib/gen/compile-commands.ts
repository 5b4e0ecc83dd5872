import { writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { commandsOf, commandsScript, compiledFile } from '../cli/compiled.ts';
import { optimizeAsUsual } from '../cli/optimize-later.ts';
import { Registry } from '../cli/registry.ts';
import type { Tool } from '../shapes/definition.ts';

/** Of so many shapes a tool is run: more code would take longer to read than what few commands use is worth. */
const shapes = 4;

// What V8 keeps of a script is what was called of it: so what commands usually do is done once. Where one may not trace,
// what comes after that refusal is left to each command.
setFlagsFromString('--no-flush-bytecode');
const script = commandsScript();
const { main, tools } = commandsOf(script);
const registry = new Registry(tools);
const tried = new Set<Tool['shape']>();
for (const name of registry.names()) {
  const { shape, examples } = await registry.load(name);
  if (tried.has(shape)) {
    continue;
  }
  tried.add(shape);
  const [usual = ''] = Object.keys(examples);
  const words = [...usual.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
  await main([...words, '--duration', '0.01'], name);
  if (tried.size === 1) {
    await main(['--help'], name);
  }
  if (tried.size === shapes) {
    break;
  }
}
// As when it is used: what was compiled with other settings is not taken.
setFlagsFromString('--flush-bytecode');
optimizeAsUsual();
writeFileSync(compiledFile, script.createCachedData());
process.exit();
