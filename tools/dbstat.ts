import bpf from '../bpf/dbstat.bpf.ts';
import {
  atLeastMilliseconds,
  atQueries,
  flag,
  histogram,
  prepareQueries,
  queryOptions,
  seconds,
  units,
} from '../lib/tool.ts';

export default histogram(bpf, {
  summary: 'Summarize how long queries of databases take.',
  area: 'programs',
  activity: 'Measuring queries',
  description: `
Measures how long PostgreSQL, MySQL or MariaDB work on queries, and prints the distribution. What counts as a query, how servers are found and what is not seen is as with dbslower.`,
  overhead:
    'A query that does nothing took PostgreSQL 8 to 27 µs longer, of about 50 (measured with pgbench on a busy 2-core virtual machine).',
  options: {
    ...queryOptions,
    minimum: atLeastMilliseconds(
      '-m, --threshold <MS>',
      'only queries of at least so many milliseconds',
      'min_latency',
    ),
    microseconds: flag('-u, --microseconds', 'print times in microseconds'),
    interval: seconds('-i, --interval <SECONDS>', 'seconds between outputs; otherwise once, at the end'),
  },
  prepare: prepareQueries,
  map: 'hists',
  detailed: true,
  unit: ({ microseconds }) => (microseconds ? units.usecs : units.msecs),
  keys: {},
  attach: atQueries,
  examples: {
    postgres: 'queries of PostgreSQL, in milliseconds',
    'postgres -u -i 1': 'each second, in microseconds',
  },
});
