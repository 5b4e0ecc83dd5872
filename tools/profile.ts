import bpf from '../bpf/profile.bpf.ts';
import { byClock, filtersByLists, flag, integer, samplingOptions, stackSideOptions, stacks } from '../lib/tool.ts';

export default stacks(bpf, {
  summary: 'Profile the processors by sampling stacks.',
  area: 'processors',
  activity: 'Sampling stacks',
  description: `
Samples what runs on each processor 49 times a second of time in which it is not idle, or as often as --frequency says, and prints each stack with the number of samples at the end.

The clock is the kernel's software clock, which works in virtual machines too; code that runs with interrupts off is seen where they are on again.

User stacks are followed by frame pointers: those of programs compiled without them are short or wrong, and the end of the output says what share was cut. A process that lives for less than a quarter of a second may have no names.`,
  overhead: `About 10 microseconds for each sample on a busy machine of two processors: 0.05 % of a processor at the usual 49 samples a second. The processes that were seen are looked at four times a second.`,
  options: {
    ...filtersByLists,
    tid: { ...filtersByLists.tid, hidden: ['-L'] },
    ...samplingOptions(49),
    period: integer('-c, --count <NANOSECONDS>', 'nanoseconds on a processor between samples, instead of --frequency', {
      min: 100_000,
      conflicts: ['frequency'],
    }),
    ...stackSideOptions,
    idle: flag('-I, --include-idle', 'also the idle threads', { set: 'include_idle' }),
  },
  map: 'counts',
  table: 'stacks',
  kernel: 'kernel',
  user: 'user',
  process: 'pid',
  weight: 'count',
  unit: 'samples',
  attach: {
    by: {
      sample: byClock(49),
    },
  },
  examples: {
    '': 'sample until Ctrl-C',
    '-F 99 10': 'sample 99 times a second for 10 seconds',
    '-p 181 --flame nginx.svg 30': 'sample process 181 for 30 seconds and write a flame graph',
    '-p 181,182 -K -s 10': 'kernel stacks of two processes, with offsets',
    '-f -U': 'print a line for each user stack, for other programs',
  },
  sample: {
    before:
      'A program, server, does nothing but handle requests, each of which it parses and renders, while other programs use the processors too:',
    args: '-p 31802 -U -F 99 --duration 3',
    output: `
    render
    main
    [libc.so.6+0x2724a]
    -                server (31802)
        24

    parse
    main
    [libc.so.6+0x2724a]
    -                server (31802)
        163`,
    after:
      '187 samples of the 297 that three seconds have: server had 63 % of a processor. 87 % of them are in parse, so that is where to look for time to save; --flame draws programs with more functions than these.',
  },
});
