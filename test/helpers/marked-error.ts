import assert from 'node:assert/strict';
import { KscopeError } from '../../lib/model/errors.ts';

/** Wants a text to be refused for that reason, with a mark below that part of what is shown of it. */
export function assertMarked(read: (text: string) => unknown, text: string, why: RegExp, marked: string): void {
  assert.throws(
    () => read(text),
    (error) => {
      assert.ok(error instanceof KscopeError && error.code === 'usage', `${text}: ${error}`);
      assert.match(error.message, why, text);
      const [shown = '', mark = ''] = error.excerpt;
      const from = mark.indexOf('^');
      assert.equal(shown.slice(from, from + mark.trim().length), marked, text);
      return true;
    },
  );
}
