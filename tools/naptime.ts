import bpf from '../bpf/naptime.bpf.ts';
import { filters, flag, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace how long programs want to sleep, and do.',
  area: 'processes',
  activity: 'Tracing nanosleep(2) and clock_nanosleep(2)',
  description: `
Prints a line for each nanosleep(2) and clock_nanosleep(2) when it ends: SECONDS is what was asked for, SLEPT how long it was. One that sleeps until a time of a clock has that time as "requested" in JSON, is marked "until", and shows SECONDS as "-". ERR is there when the sleep was interrupted or refused. When a signal came it is ERESTART_RESTARTBLOCK: for a program that handles the signal that is EINTR, for others the sleep goes on. A sleep that was under way when the tracing began has no SLEPT.

A sleep that is stopped and goes on (SIGSTOP, SIGCONT) is shown with what was left of it, as restart_syscall(2) is not seen. Programs that wait in poll(2), select(2), futex(2) and so on are no sleepers.`,
  overhead: 'About 5 µs for each sleep (run time of the programs on a busy 2-core virtual machine).',
  options: {
    ...filters,
    failed: flag('-x, --failed', 'only sleeps that were interrupted or refused', {
      group: 'filter',
      set: 'failed_only',
    }),
  },
  meanings: {
    ppid: 'process id of the parent',
    pcomm: 'command name of the parent',
  },
  columns: {
    time: {},
    ppid: {},
    pcomm: {},
    pid: {},
    comm: {},
    requested: { header: 'SECONDS', width: 12, text: (ns, { until }) => (until ? '-' : (ns / 1e9).toFixed(6)) },
    slept: { width: 12, text: (ns) => (ns / 1e9).toFixed(6) },
    error: { header: 'ERR' },
  },
  examples: { '': 'trace all sleeps', '-p 181': 'those of process 181', '-x': 'those that were interrupted' },
  sample: {
    before: 'A script sleeps twice, and timeout ends a longer sleep:',
    args: '--comm sleep --fields pcomm,pid,comm,requested,slept,error',
    output: `
PCOMM                PID COMM                  SECONDS        SLEPT ERR
sh                 30228 sleep                0.250000     0.250085 -
timeout            30233 sleep                5.000000     0.291806 ERESTART_RESTARTBLOCK
sh                 30255 sleep                1.000000     1.000084 -`,
    after:
      'SECONDS is what was asked for, SLEPT what came of it. The second one was interrupted by a signal after 0.29 of 5 seconds. A script that sleeps for a second each time it looks for something may be where the time of a slow program goes.',
  },
});
