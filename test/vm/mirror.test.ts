import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { startCommand } from '../helpers/run-tool.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

test('a mirror that takes connections and says nothing is a sentence, and soon', async () => {
  using place = new TemporaryDirectory();
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const proxy = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const env = { ...process.env, KSCOPE_VM_CACHE: place.path, http_proxy: proxy, https_proxy: proxy };
  const run = new URL('run.js', import.meta.url).pathname;
  try {
    await using running = startCommand([process.execPath, run, '6.1', '--', 'true'], { env });
    const { code, stderr } = await running.ended();
    assert.equal(code, 125);
    assert.match(stderr, /^no Debian archive of this machine's apt sources answers: /);
    assert.doesNotMatch(stderr, /^\s+at /m);
  } finally {
    silent.close();
  }
});
