import bpf from '../bpf/dbstat.bpf.ts';
import {
  atLeastMilliseconds,
  atQueries,
  histogram,
  microseconds,
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
    minimum: atLeastMilliseconds('-m, --threshold <MS>', 'queries that took', 'min_latency'),
    microseconds,
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
  sample: {
    before:
      'A client of PostgreSQL asks 40 times for the orders of a customer and 5 times for a sum of all, each time followed by a query that needs no table:',
    args: 'postgres -u -p 533',
    output: `
          usecs           : count    distribution
         8 -> 15         : 34       |****************************************|
        16 -> 31         : 5        |*****                                   |
        32 -> 63         : 1        |*                                       |
        64 -> 127        : 4        |****                                    |
       128 -> 255        : 1        |*                                       |
       256 -> 511        : 22       |*************************               |
       512 -> 1023       : 17       |********************                    |
      1024 -> 2047       : 1        |*                                       |
      2048 -> 4095       : 0        |                                        |
      4096 -> 8191       : 3        |***                                     |
      8192 -> 16383      : 1        |*                                       |
     16384 -> 32767      : 1        |*                                       |`,
    after:
      'Three hills for three kinds of queries: the last five, of 4 milliseconds and more, are the sums. dbslower(8) with -m 4 would show their text.',
  },
});
