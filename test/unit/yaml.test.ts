import assert from 'node:assert/strict';
import { test } from 'node:test';
import { yamlDocument } from '../../lib/model/yaml.ts';

test('objects and lists are blocks; what is empty is not', () => {
  const value = {
    list: [1, 'two', { three: 3, more: [true, null] }, [[], {}]],
    nothing: [],
    object: { none: {}, one: { two: 'a/b.c-d_e' } },
  };
  assert.equal(
    yamlDocument(value),
    `---
list:
- 1
- two
- three: 3
  more:
  - true
  - null
- - []
  - {}
nothing: []
object:
  none: {}
  one:
    two: a/b.c-d_e
`,
  );
  assert.equal(yamlDocument('text'), '---\ntext\n');
  assert.equal(yamlDocument([]), '---\n[]\n');
});

test('text that is something else elsewhere, or could end its place, is quoted', () => {
  const texts = [
    '',
    'no',
    'Null',
    'y',
    '1',
    '1e3',
    '0x1f',
    '192.0.2.0/24',
    '::1',
    '-',
    '- a',
    'a: b',
    'a #b',
    '*a',
    '!a',
  ];
  for (const text of [...texts, '---', '...', '{', 'a,b', "it's", '%', '@', '`', ' a', 'a ', 'a:']) {
    assert.equal(yamlDocument({ [text]: text }), `---\n${JSON.stringify(text)}: ${JSON.stringify(text)}\n`);
  }
  assert.equal(
    yamlDocument('"\\\n\t\x1b\x7f\x85\u2028\u202e\ufeff\ud800'),
    '---\n"\\"\\\\\\n\\t\\u001b\\u007f\\u0085\\u2028\\u202e\\ufeff\\ud800"\n',
  );
});
