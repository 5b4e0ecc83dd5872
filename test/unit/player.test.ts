import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from '../../lib/model/message.ts';
import { Player } from '../../lib/replay/player.ts';
import type { Source } from '../../lib/replay/source.ts';
import { fakeRow, fakeTime, ready } from '../helpers/fake-tool.ts';
import { recorded } from '../helpers/replayed.ts';

const second = 1_000_000;

/** A recording with an event each second. */
async function recording(events: number, rewindable = true): Promise<Source> {
  const messages: Message[] = [ready('rows')];
  for (let i = 0; i < events; i++) {
    messages.push({ type: 'events', rows: [{ ...fakeRow(i), time: fakeTime + i * second }] });
  }
  const text = await recorded(messages, {});
  return {
    rewindable,
    async *chunks() {
      yield Buffer.from(text);
    },
  };
}

/** A player whose clock only goes when the test says so. */
class Played {
  readonly player: Player;
  /** Numbers of the events so far; 'again' where the recording started anew. */
  readonly seen: (number | 'again')[] = [];
  readonly end = new AbortController();
  readonly done: Promise<void>;
  #now = 0;
  readonly #tick: (milliseconds: number) => void;

  constructor(
    source: Source,
    tick: (milliseconds: number) => void,
    options: { timed?: boolean; interactive?: boolean } = {},
  ) {
    const { timed = true, interactive = true } = options;
    this.#tick = tick;
    this.player = new Player(source, { find: async () => undefined, timed, now: () => this.#now });
    this.done = this.#run(interactive);
  }

  /** Lets time go by, and everything happen that is due. */
  async pass(seconds = 0): Promise<readonly (number | 'again')[]> {
    await this.#settle();
    for (let left = seconds * 1000; left > 0; left -= 100) {
      this.#now += Math.min(100, left);
      this.#tick(Math.min(100, left));
      await this.#settle();
    }
    return this.seen.splice(0);
  }

  async #settle(): Promise<void> {
    for (let i = 0; i < 20; i++) {
      await new Promise(setImmediate);
    }
  }

  async #run(interactive: boolean): Promise<void> {
    for await (const message of this.player.play(this.end.signal, interactive)) {
      if (message.type === 'rewound') {
        this.seen.push('again');
      } else if (message.type === 'events') {
        this.seen.push(...message.rows.map(({ pid }) => (pid as number) - 100));
      }
    }
  }
}

test('a recording keeps its times, is paused, stepped, and played faster', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const played = new Played(await recording(20), (time) => context.mock.timers.tick(time));
  const { player } = played;
  assert.deepEqual(await played.pass(), [0]);
  assert.deepEqual(await played.pass(0.9), []);
  assert.deepEqual(await played.pass(0.2), [1]);
  assert.deepEqual(await played.pass(2), [2, 3]);
  player.pause(true);
  assert.deepEqual(await played.pass(5), []);
  assert.equal(player.state.paused, true);
  player.step();
  assert.deepEqual(await played.pass(), [4]);
  player.step();
  player.step();
  assert.deepEqual(await played.pass(), [5, 6]);
  player.pause(false);
  assert.deepEqual(await played.pass(1), [7]);
  player.setSpeed(4);
  assert.deepEqual(await played.pass(1), [8, 9, 10, 11]);
  assert.equal(player.state.position, 11 * second);
  player.setSpeed(1e9);
  assert.equal(player.state.speed, 4096);
  assert.deepEqual(await played.pass(0.1), [12, 13, 14, 15, 16, 17, 18, 19]);
  assert.equal(player.state.ended, true);
  played.end.abort();
  await played.done;
});

test('one can go forth and back, also from the end', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const played = new Played(await recording(30), (time) => context.mock.timers.tick(time));
  const { player } = played;
  await played.pass();
  player.pause(true);
  player.seek(10 * second);
  assert.deepEqual(await played.pass(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.equal(player.state.position, 10 * second);
  player.seek(-5 * second);
  assert.deepEqual(await played.pass(), ['again', 0, 1, 2, 3, 4, 5]);
  player.seek(-100 * second);
  assert.deepEqual(await played.pass(), ['again', 0]);
  player.pause(false);
  player.seek(1000 * second);
  assert.equal((await played.pass()).at(-1), 29);
  assert.equal(player.state.ended, true);
  player.seek(-2 * second);
  assert.equal((await played.pass())[0], 'again');
  played.end.abort();
  await played.done;
});

test('a pipe comes as it comes, and cannot be rewound', async () => {
  const played = new Played(await recording(5, false), () => {}, { timed: false });
  await played.done;
  assert.deepEqual(played.seen, [0, 1, 2, 3, 4]);
  played.player.seek(-second);
  assert.equal(played.player.state.seekable, false);
});
