import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { compiledProgram } from '../helpers/compiled-program.ts';
import { Postgres } from '../helpers/postgres.ts';
import { type JsonMessage, runTool, startTool } from '../helpers/run-tool.ts';
import { hasCookies } from '../helpers/several-places.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

/** Without those by which the test knows that others are done. */
function queries(rows: readonly JsonMessage[]): readonly JsonMessage[] {
  return rows.filter(({ query }) => !String(query).startsWith("select 'done "));
}

test('each query of PostgreSQL is a row, with its time and whether it failed', async (t) => {
  await using server = await Postgres.start(t);
  if (server === undefined) {
    return;
  }
  const long = `select '${'x'.repeat(600)}'`;
  const pid = String(server.pid);
  const elsewhere = ['--json', '-m', '0', 'postgres', '-p', String(process.pid), '-x', `/proc/${pid}/exe`];
  const seen = await watch(
    'dbslower',
    {
      all: ['--json', '-m', '0', 'postgres', '-p', pid],
      slow: ['--json', 'postgres', pid, '40'],
      text: ['-m', '40', '-F', 'postgres', '-p', pid],
      ...(hasCookies() && { other: elsewhere }),
    },
    async () => {
      await server.query('select 1');
      await server.query('select 1/0');
      await server.query('select pg_sleep(0.05)');
      await server.query('prepare two as select 2');
      await server.query('execute two');
      await server.query(long);
    },
  );
  const rows = queries(seen.all.rows);
  assert.deepEqual(
    rows.map(({ query, failed, comm }) => ({ query: String(query).replace(/\\n$/, ''), failed, comm })),
    [
      { query: 'select 1' },
      { query: 'select 1/0', failed: true },
      { query: 'select pg_sleep(0.05)' },
      { query: 'prepare two as select 2' },
      { query: 'execute two' },
      { query: long.slice(0, 511) },
    ].map((row) => ({ failed: undefined, comm: 'postgres', ...row })),
  );
  assert.ok(rows.every((row) => row.pid === server.pid && Number(row.latency) > 0));
  const slow = queries(seen.slow.rows).find(({ query }) => String(query).includes('pg_sleep'));
  assert.ok(Number(slow?.latency) >= 50e6 && Number(slow?.latency) < 20e9);
  assert.ok(seen.slow.rows.every(({ latency }) => Number(latency) >= 40e6));
  assert.match(seen.text.stdout, /^TIME +PID +MS F QUERY\n/);
  assert.match(seen.text.stdout, /^\d\d:\d\d:\d\d +\d+ +\d+\.\d{3} - select pg_sleep\(0\.05\)\\n$/m);
  if (seen.other === undefined) {
    const { code, stderr } = await runTool('dbslower', elsewhere);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`: process ${process.pid} is gone, or does not use /proc/${pid}/exe`));
  } else {
    assert.deepEqual(seen.other.rows, []);
  }
});

const source = (name: string, parameters: string, first: string, second: string) => `
#include <stdio.h>
#include <time.h>
struct data { const char *query; unsigned length; };
__attribute__((noinline)) int ${name}(${parameters})
{
	struct timespec time = { .tv_nsec = 30000000 };
	return nanosleep(&time, 0);
}
int main(void)
{
	struct data one = { "select one", 10 }, two = { "not a query", 11 };
	/* As a server that has received it: what was never touched cannot be read. */
	__asm__ volatile("" : : "r"(&one), "r"(&two) : "memory");
	char touched = *(volatile const char *)one.query;
	${first};
	${second};
	return touched && getchar() < 0 ? 0 : 1;
}
`;

for (const [server, program] of Object.entries({
  'MariaDB, and MySQL up to 5.6': source(
    '_Z16dispatch_command19enum_server_commandP3THDPcjb',
    'int command, void *thd, const char *text, unsigned length, int more',
    '_Z16dispatch_command19enum_server_commandP3THDPcjb(3, 0, one.query, 10, 0)',
    '_Z16dispatch_command19enum_server_commandP3THDPcjb(14, 0, two.query, 11, 0)',
  ),
  'MySQL since 5.7': source(
    '_Z16dispatch_commandP3THDPK8COM_DATA19enum_server_command',
    'void *thd, const struct data *data, int command',
    '_Z16dispatch_commandP3THDPK8COM_DATA19enum_server_command(0, &one, 3)',
    '_Z16dispatch_commandP3THDPK8COM_DATA19enum_server_command(0, &two, 14)',
  ),
})) {
  test(`queries are those commands of ${server} that are queries`, async (t) => {
    using place = new TemporaryDirectory();
    const file = compiledProgram(t, place, 'mysqld', program);
    if (file === undefined) {
      return;
    }
    await using tool = startTool('mysqld_qslower', ['--json', '-m', '25', '-x', file]);
    await tool.ready();
    execFileSync(file, { input: '' });
    await tool.row(({ query }) => query === 'select one');
    const { rows } = await tool.end();
    assert.equal(rows.length, 1);
    assert.equal(rows[0]?.comm, 'mysqld');
    assert.ok(Number(rows[0]?.latency) >= 30e6);
  });
}

test('a server that cannot be traced is refused in a sentence', async () => {
  const cases: readonly (readonly [args: string[], message: RegExp])[] = [
    [
      ['postgres', '-p', String(process.pid), '-x', '/bin/true'],
      /'\/bin\/true' is none that has the probe postgresql:query__\w+: .*--enable-dtrace/,
    ],
    [['mysql', '-x', '/bin/true'], /'\/bin\/true' is none that has the function dispatch_command/],
  ];
  await Promise.all(
    cases.map(async ([args, message]) => {
      const { code, stderr } = await runTool('dbslower', args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
    }),
  );
});
