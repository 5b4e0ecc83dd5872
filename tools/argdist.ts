import bpf from '../bpf/argdist.bpf.ts';
import {
  accepted,
  distributionOption,
  distributions,
  durationOption,
  filters,
  flag,
  integer,
  seconds,
} from '../lib/tool.ts';

export default distributions(bpf, {
  summary: 'Count values of arguments and results of functions and events.',
  area: 'probes',
  description: `
Counts in the kernel how often values come up together (-C), or how they are distributed over powers of two (-H), at places of your choice. A specification is TYPE:[LIBRARY]:FUNCTION([SIGNATURE])[:[TYPES]:VALUES[:FILTER]][#LABEL]:

    p:c:open(path, flags):char*,int:path,flags:flags & 0x40#files that may be made

TYPE is p for the entry of a function, r for its return, t for a tracepoint (CATEGORY in the place of LIBRARY) and u for a USDT probe; without LIBRARY it is a function of the kernel. SIGNATURE names the parameters, with or without types; those of functions of the kernel have the names and types of BTF as well, and need none. TYPES are those of C, one for each value, and char* keeps a text; without them, values have the types that they have. Without VALUES calls are counted, and at a return what is returned. VALUES and FILTER are expressions as trace(8) has them.

At returns there are $retval, $latency, the nanoseconds since the function was entered, and $entry(VALUE), what a value was then; calls that were entered before the start are not counted. Calls of functions of libraries and programs may be nested. In the kernel, of two calls of one function in one thread the one that was entered last counts.

At each interval what came up in it is printed, and nothing is lost in between; with -c, all since the start. Values below 0 are one line of a histogram. -I of bcc is accepted and changes nothing: types come from BTF, and no header is read.`,
  overhead:
    'About 0.2 µs for a number and 0.4 µs for a text that is counted, 0.8 µs with $entry or $latency (run time of the programs, on a busy 2-core virtual machine), and what the place costs by itself: about 1.5 µs for one in a process.',
  options: {
    counts: distributionOption('-C, --count <SPECIFICATION>', 'count values that come up together'),
    histograms: distributionOption('-H, --histogram <SPECIFICATION>', 'count the powers of two of a value'),
    ...filters,
    interval: seconds('-i, --interval <SECONDS>', 'seconds between outputs; usually 1'),
    intervals: integer('-n, --number <COUNT>', 'end after this many outputs', { min: 1 }),
    duration: durationOption,
    force: flag('--force', 'hook returns of functions also where that may crash the program, as in Go'),
    includes: accepted('-I, --include <HEADER>'),
    cumulative: flag('-c, --cumulative', 'print all since the start, not only what is new', { group: 'output' }),
    rows: integer('-T, --top <COUNT>', 'print at most this many rows; usually all', { min: 1, group: 'output' }),
    stringSize: integer('-z, --string-size <BYTES>', 'bytes of a text that are kept, its end included; usually 80', {
      min: 2,
      max: 240,
    }),
  },
  examples: {
    "-C 't:sched:sched_process_exec()::filename'": 'which programs are executed, each second',
    "-H 'r:c:read():u64:$latency'": 'how long read(2) takes, in nanoseconds',
    "-H 'r::vfs_read()::$retval:$retval > 0'": 'how much is read at once',
    "-i 5 -C 'p::vfs_unlink()::dentry->d_name.name'": 'what is deleted, every 5 seconds',
    "-C 'p:c:malloc(size):u64:size:size > 1000000' -T 9": 'the nine commonest large allocations',
  },
  sample: {
    before: 'A server writes a log and a configuration, each time with fdatasync(2) behind it:',
    args: "-p 29637 -i 60 -H 'r:c:fdatasync():u64:$latency/1000#fdatasync, in us'",
    output: `
20:52:43
probe = fdatasync, in us
  $latency/1000           : count    distribution
        64 -> 127        : 7        |****************************************|
       128 -> 255        : 0        |                                        |
       256 -> 511        : 1        |*****                                   |
       512 -> 1023       : 0        |                                        |
      1024 -> 2047       : 0        |                                        |
      2048 -> 4095       : 2        |***********                             |
      4096 -> 8191       : 1        |*****                                   |
      8192 -> 16383      : 1        |*****                                   |`,
    after:
      'Seven of twelve found nothing to do and took 64 to 127 microseconds; those that had to wait for the disk took up to 16 milliseconds. Empty rows above were left out.',
  },
});
