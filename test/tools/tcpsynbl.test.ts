import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distributionsIn } from '../helpers/distribution.ts';
import { RawTcp } from '../helpers/raw-tcp.ts';
import { waysToSpeak } from '../helpers/tcp-conversation.ts';
import { until } from '../helpers/until.ts';
import { watch } from '../helpers/watch.ts';

const connections = 6;
/** 0 and 1 share a bucket. */
const buckets = [
  { from: 0, to: 1, count: 2 },
  { from: 2, to: 3, count: 2 },
  { from: 4, to: 7, count: 2 },
];
const total = 0 + 1 + 2 + 3 + 4 + 5;

for (const way of waysToSpeak) {
  test(`each connection over ${way.name} counts once, with how many wait before it`, async () => {
    using listener = RawTcp.listen(way, 9);
    using other = RawTcp.listen(way, 10);
    const port = String(listener.port);
    const clients: RawTcp[] = [];
    const connect = (to: RawTcp) => {
      const client = RawTcp.open(way);
      client.connect(way, to.port);
      clients.push(client);
    };
    const seen = await watch(
      'tcpsynbl',
      {
        all: ['--json'],
        one: ['--json', '-L', port],
        family: ['--json', '-L', `${port},${other.port}`, way.ip === 4 ? '-4' : '-6'],
        otherFamily: ['--json', '-L', port, way.ip === 4 ? '-6' : '-4'],
        text: ['-T', '-L', port],
      },
      () => {
        for (let i = 0; i < connections; i++) {
          connect(listener);
        }
        connect(other);
      },
    );
    for (const client of clients) {
      client[Symbol.dispose]();
    }
    const shown = (name: 'all' | 'one' | 'family' | 'otherFamily') =>
      distributionsIn(seen[name].messages).map(({ backlog_max, unit, buckets, count, total }) => {
        return { backlog_max, unit, buckets, count, total };
      });
    const mine = { backlog_max: 9, unit: 'backlog', buckets, count: connections, total };
    const last = { backlog_max: 10, unit: 'backlog', buckets: [{ from: 0, to: 1, count: 1 }], count: 1, total: 0 };
    assert.deepEqual(shown('one'), [mine]);
    const limits = (all: readonly { readonly backlog_max: unknown }[]) =>
      [...all].sort((a, b) => Number(a.backlog_max) - Number(b.backlog_max));
    assert.deepEqual(limits(shown('family')), [mine, last]);
    assert.deepEqual(shown('otherFamily'), []);
    assert.ok(Number(shown('all').find(({ backlog_max }) => backlog_max === 9)?.count) >= connections);
    assert.match(
      seen.text.stdout,
      /^\d\d:\d\d:\d\d\nbacklog_max = 9\n +backlog +: count +distribution\n +0 -> 1 +: 2 /,
    );
  });
}

for (const way of waysToSpeak) {
  test(`a connection over ${way.name} that finds no room counts too`, async () => {
    using listener = RawTcp.listen(way);
    listener.deferAccept();
    const port = String(listener.port);
    const clients = Array.from({ length: 7 }, () => RawTcp.open(way));
    const { full } = await watch('tcpsynbl', { full: ['--json', '-L', port] }, async () => {
      for (const client of clients) {
        client.connect(way, listener.port);
        await until(() => client.isEstablished);
      }
      // One more than that may wait; the others try again, and find no room again.
      listener.limitBacklog(3);
      for (const client of clients) {
        client.send(1);
      }
    });
    for (const client of clients) {
      client[Symbol.dispose]();
    }
    const distributions = distributionsIn(full.messages);
    assert.deepEqual(
      distributions.map(({ backlog_max }) => backlog_max),
      [3],
    );
    const [none, some, all] = distributions[0]?.buckets ?? [];
    assert.deepEqual(
      [none, some],
      [
        { from: 0, to: 1, count: 2 },
        { from: 2, to: 3, count: 2 },
      ],
    );
    assert.ok(Number(all?.count) >= 3, JSON.stringify(distributions));
  });
}
