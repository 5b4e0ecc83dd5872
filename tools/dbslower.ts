import bpf from '../bpf/dbslower.bpf.ts';
import { atLeastMilliseconds, atQueries, prepareQueries, queryOptions, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace queries of PostgreSQL, MySQL and MariaDB that take long.',
  area: 'programs',
  activity: 'Tracing slow queries',
  description: `
Prints a line for each query that a database server has worked on for longer than a threshold, when it is done: the process or connection, the time and the text, of which the first 511 bytes are kept.

PostgreSQL says by statically defined probes (USDT) when it begins and ends; Debian's packages have them. A query that comes whole is timed from when it was read to when it was answered. One whose parameters come apart, prepared or not, is timed while it is executed. A query that ends by an error is marked as failed in JSON, and with --show-failed. New connections are seen.

MySQL and MariaDB have no such probes any more: there it is their function dispatch_command from entry to return, by whose command COM_QUERY queries are known; prepared statements are not seen. The binary must have its symbols. Other servers and those in containers are found as long as they run, by the names of their programs.

Before 5.15, PostgreSQL can be traced in one process only, with --pid: that of a connection.`,
  overhead:
    'A query that does nothing took PostgreSQL 8 to 27 µs longer, of about 50 (measured with pgbench on a busy 2-core virtual machine).',
  options: {
    ...queryOptions,
    pid: { ...queryOptions.pid, place: '[pid]' },
    minimum: atLeastMilliseconds('-m, --threshold <MS>', 'queries that took', 'min_latency', {
      usual: 1,
      place: '[min_ms]',
    }),
  },
  prepare: prepareQueries,
  meanings: {
    query: 'text of the query',
  },
  columns: {
    time: {},
    pid: {},
    latency: { header: 'MS', text: (ns) => (ns / 1e6).toFixed(3) },
    failed: { flag: '-F, --show-failed', summary: 'show which queries failed', header: 'F', width: 1, text: () => 'F' },
    query: {},
  },
  attach: atQueries,
  aliases: { mysqld_qslower: ['mysql'] },
  examples: {
    postgres: 'queries of PostgreSQL that take 1 ms or more',
    'postgres -m 0': 'all queries',
    'mariadb -m 100 -p 181': 'queries of server 181 that take 100 ms or more',
    'mariadb 181 100': 'the same',
    'mysql -x /opt/mysql/bin/mysqld': 'queries of a server by its binary',
  },
  sample: {
    before:
      'A client of PostgreSQL counts the orders of a customer, sleeps for 20 milliseconds, makes an index, and counts again:',
    args: 'postgres -m 5 -p 533',
    output: `
TIME         PID        MS QUERY
20:53:43     533    40.550 select count(*) from orders where customer = 7\\n
20:53:43     533    20.933 select pg_sleep(0.02)\\n
20:53:43     533   481.084 create index on orders (customer)\\n`,
    after:
      'The first count read the whole table and took 40 milliseconds. The second one is not there: with the index it took less than 5.',
  },
});
