import bpf from '../bpf/oomkill.bpf.ts';
import { loadAverages, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace the processes that the kernel kills for want of memory.',
  area: 'memory',
  activity: 'Tracing OOM kills',
  description: `
Prints a line for each process that the kernel chooses to kill because there is no memory left, in the machine or under the limit of a cgroup (oom:mark_victim): first who found no memory, then (TPID, TCOMM) who has to die for it, which often is another one. A cgroup that is killed as a whole (memory.oom.group) has a line for each of its processes, and so has a process that was about to end anyway and may now use the last reserves.

PAGES is how many pages there were to share, as in the kernel's own message: those of the machine, or those of the cgroup's limit; the field memcg is true for that. It is known where the function oom_kill_process can be traced (fentry or kprobe). What the victim used comes with the tracepoint from Linux 6.9 on; before that its name is only known along with PAGES.

Programs that watch over memory themselves, such as systemd-oomd and earlyoom, send plain signals: those are not seen here.`,
  overhead:
    'Nothing until a process is killed, and then about 3 µs (run time of the program on a busy 2-core virtual machine).',
  options: {},
  meanings: {
    tcomm: 'command name of the process that is killed, where it is known',
    total_vm: 'bytes of its address space, where it is known',
    anon_rss: 'bytes of its anonymous memory, where it is known',
    file_rss: 'bytes of files in its memory, where it is known',
    shmem_rss: 'bytes of its shared memory, where it is known',
    pgtables: 'bytes of its page tables, where it is known',
    pages: 'pages of memory that there are in all',
  },
  columns: {
    time: {},
    pid: {},
    comm: {},
    tpid: { header: 'TPID' },
    tcomm: { header: 'TCOMM' },
    pages: {},
    anon_rss: { flag: '-m, --memory', summary: 'show how much memory the victim used', header: 'ANON' },
    file_rss: { when: 'anon_rss', header: 'FILE' },
    shmem_rss: { when: 'anon_rss', header: 'SHMEM' },
    pgtables: { when: 'anon_rss', header: 'TABLES' },
    loadavg: {},
  },
  computed: {
    loadavg: {
      type: 'text_t',
      help: 'load averages, when the line is printed',
      value: () => loadAverages().replace(/^\D+/, ''),
    },
  },
  attach: {
    optional: [
      'oom_kill_process__fentry',
      'oom_kill_process__fexit',
      'oom_kill_process__kprobe',
      'oom_kill_process__kretprobe',
    ],
  },
  examples: {
    '': 'who is killed, and who was in need',
    '-m': 'with the memory that the killed ones had used',
  },
  sample: {
    before: 'tail waits for the end of a line that has none, in a cgroup that may have 16 MiB:',
    args: '-m --fields time,pid,comm,tpid,tcomm,anon_rss,file_rss,pgtables',
    output: `
TIME         PID COMM                TPID TCOMM                ANON     FILE   TABLES
21:38:19   13839 tail               13839 tail                15.9M     1.7M    72.0K`,
    after:
      'tail was the one that found no memory, and the one that had most: it is not always so. ANON is memory of its own that it had filled: all that the limit allows.',
  },
});
