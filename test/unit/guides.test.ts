// What the guides name and link to is there.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const guides = ['README.md', 'CONTRIBUTING.md', 'lib/README.md', 'test/bench/README.md', 'test/vm/README.md'];
const sources = ['bpf', 'lib', 'test', 'tools'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }),
);
const names = new Set(sources.map((path) => basename(path)));

/** Text without blocks of code, which have names of files that the reader makes. */
function textOf(guide: string): string {
  return readFileSync(join(root, guide), 'utf8').replace(/^```.*?^```$/gms, '');
}

/** What a heading is called in a link. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
}

for (const guide of guides) {
  test(`${guide}: files that it names are there`, () => {
    for (const [, name = ''] of textOf(guide).matchAll(/`([\w./-]+\.(?:c|h|md|mjs|ts))`/g)) {
      // As it is found from the project, from the guide, or in an import of a tool.
      const found = name.includes('/')
        ? ['.', dirname(guide), 'tools'].some((folder) => existsSync(join(root, folder, name)))
        : names.has(name) || existsSync(join(root, name));
      assert.ok(found || /NAME|^\.cache\//.test(name), name);
    }
  });

  test(`${guide}: its links lead somewhere`, () => {
    for (const [, file = '', anchor] of textOf(guide).matchAll(/\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]*))?\)/g)) {
      const path = file === '' ? guide : join(dirname(guide), file);
      assert.ok(existsSync(join(root, path)), path);
      if (anchor !== undefined) {
        assert.ok(anchors(textOf(path)).includes(anchor), `${path}#${anchor}`);
      }
    }
  });
}

test('where the guide says to look, there is what it says', () => {
  const text = textOf('lib/README.md');
  const rows = [...text.slice(text.indexOf('### Where to look')).matchAll(/^\| .* \| +(.*?) +\| +`(.*)` +\|$/gm)];
  assert.ok(rows.length > 5);
  const folder = join(root, 'bpf/include');
  const headers = readdirSync(folder)
    .filter((name) => name.endsWith('.h'))
    .map((name) => readFileSync(join(folder, name), 'utf8'));
  for (const [, what = '', tools = ''] of rows) {
    for (const tool of tools.split('`, `')) {
      assert.ok(existsSync(join(root, `tools/${tool}.ts`)), tool);
    }
    for (const [, name = ''] of what.matchAll(/`([A-Z_]{3,}|\w+(?=\())/g)) {
      assert.ok(
        headers.some((header) => new RegExp(`\\b${name}\\b`).test(header)),
        name,
      );
    }
  }
});
