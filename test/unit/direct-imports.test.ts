import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { directImports } from '../../lib/gen/direct-imports.ts';

const list = `export { snoop } from './shapes/snoop.js';
export { formatEndpoint as endpoint } from './model/ip.js';
export {
  flag,
  text,
} from './shapes/options.js';
`;

test('what is imported from the list comes from where it is', () => {
  const tool = `import bpf from '../bpf/x.bpf.js';
import { endpoint, flag, snoop, text as plain } from '../lib/tool.js';
export default snoop(bpf, {});
`;
  assert.equal(
    directImports(tool, list),
    `import bpf from '../bpf/x.bpf.js';
import { formatEndpoint as endpoint } from '../lib/model/ip.js';
import { flag, text as plain } from '../lib/shapes/options.js';
import { snoop } from '../lib/shapes/snoop.js';
export default snoop(bpf, {});
`,
  );
});

test('where a name is not known, and where all is done, nothing changes', () => {
  for (const tool of ["import { snoop, other } from '../lib/tool.js';\n", "import { a } from './a.js';\n"]) {
    assert.equal(directImports(tool, list), tool);
  }
});

test('no tool of the build loads the list', () => {
  const tools = new URL('../../tools/', import.meta.url);
  const files = readdirSync(tools).filter((file) => file.endsWith('.js'));
  assert.notEqual(files.length, 0);
  assert.deepEqual(
    files.filter((file) => readFileSync(new URL(file, tools), 'utf8').includes('lib/tool.js')),
    [],
  );
});
