import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Registry } from '../../lib/cli/registry.ts';
import { renderFlameGraph } from '../../lib/output/flame-graph.ts';
import { Screen } from '../../lib/view/screen.ts';
import { assertGolden } from '../helpers/golden.ts';
import { pictureOf } from '../helpers/picture.ts';
import { played } from '../helpers/replayed.ts';

const registry = new Registry();

/** The messages of a recording that is kept for pictures. */
function recording(name: string) {
  const file = new URL(`../../../test/fixtures/pictures/${name}.jsonl`, import.meta.url);
  return played(readFileSync(file, 'utf8'), (tool) => registry.load(tool));
}

test('the picture of a live view is what the view shows', async () => {
  const style = { time: 'clock', utc: true } as const;
  const screen = new Screen({ name: 'runqlat', style, colours: true, now: () => 0 });
  for (const message of await recording('runqlat')) {
    screen.receive(message);
  }
  assertGolden('pictures/live-view.svg', pictureOf(screen, { width: 100, height: 26 }));
});

test('the picture of a flame graph is what --flame writes', async () => {
  for (const message of await recording('profile')) {
    if (message.type === 'stacks') {
      assertGolden('pictures/flame-graph.svg', renderFlameGraph(message, 'profile'));
    }
  }
});
