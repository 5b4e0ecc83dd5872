import bpf from '../bpf/trace.bpf.ts';
import {
  accepted,
  bufferPages,
  filters,
  flag,
  integer,
  lettered,
  nameContains,
  probeEvents,
  specifications,
  text,
} from '../lib/tool.ts';

export default probeEvents(bpf, {
  summary: 'Print a line for each call of functions, or event, of your choice.',
  area: 'probes',
  description: `
Prints a line for each call of a function, or each event, that a specification names, if its condition holds. A specification is a place, and behind it, if wanted, a condition in parentheses, a format in quotes, and the values for the format:

    vfs_unlink (dentry->d_name.len > 20) "%s %d", dentry->d_name.name, dentry->d_name.len

Places are functions of the kernel ('vfs_read', or 'p::vfs_read+0x10' for an instruction), of libraries and programs ('c:malloc', '/usr/bin/node:uv_fs_open', ':main' with --pid), returns of both ('r:vfs_read', 'r:c:malloc'), tracepoints ('t:sched:sched_switch') and USDT probes ('u:/usr/bin/postgres:query__start'). Several can be given, each in quotes of its own. A name that several functions of the kernel share stands for all of them, whose parameters have names only if they have the same types.

Values are expressions of C. Parameters of functions of the kernel have the names and types of the kernel's BTF, and so has everything behind -> and . and [ ]; no headers are needed. Elsewhere they are arg1, arg2 and so on, or have the names and types of a signature without a space before it: 'c:open(path, int flags) (flags & 0x40) "%s", path'. A cast gives a type: ((struct sock *)arg1)->sk_family. At returns there is retval, and where the kernel has fexit also the parameters. Fields of tracepoints are args->NAME, or NAME. Everywhere there are $pid (a thread, as in bcc), $tgid (its process), $uid, $gid, $cpu, $nsecs, $comm and $task, the kernel's struct task_struct of the thread.

Texts are the same (== "text", STRCMP("text", value)), are not (!=), or begin so (STARTS("text", value)); all of a text counts, and its end. Numbers are compared with the sign that their type gives them; what has no known type, as retval of a library's function, has none until a cast gives it one.

Conversions are %d %u %x %o %c %s %p, with width, - and 0 as in C, %K and %U for the function that an address of the kernel or of the process is in, and %s for the name of a value of an enumeration. %d, %u and %x write what a value is; of one without a known type they write 32 bits, and 64 bits with l or ll. In JSON the values are in "values", by their expressions.

What cannot be read is 0, or ? where it should be a text: memory of a process that was not touched yet is not read. What a process gives, it also chooses: addresses that come from it are only looked for in its own memory. This tool itself is not traced, without --include-self.

Of bcc's options, -I and -s are accepted and change nothing: types come from BTF, and names for stacks from the files that the process has mapped. Structures of programs, of which no header is read, cannot be named; stacks of a process that ends at once may have no names.`,
  overhead:
    'About 0.15 µs for an event that the condition refuses, 0.3 µs for a line and 0.6 µs with a user stack (run time of the program, on a busy 2-core virtual machine), and what the place costs by itself: about 1.5 µs for one in a process. To print a line took 0.5 to 1 times the processor time that bpftrace takes for the same, with --json 0.9 to 1.6 times, and what was traced was slowed down 0.04 to 0.6 times as much (tracepoints, functions and USDT probes of processes, beside other work).',
  options: {
    probes: specifications,
    ...filters,
    tid: lettered(filters.tid, 'L'),
    uid: lettered(filters.uid),
    cgroup: { ...lettered(filters.cgroup, 'c'), hidden: ['--cgroup-path'] },
    includeSelf: flag('-S, --include-self', 'also trace this tool'),
    commContains: nameContains,
    messageContains: text('-f, --msg-filter <TEXT>', 'only messages that contain TEXT', { group: 'filter' }),
    maxEvents: integer('-M, --max-events <COUNT>', 'end after this many lines', { min: 1, hidden: ['--max_events'] }),
    bufferPages: bufferPages('-b, --buffer-pages <PAGES>'),
    includes: accepted('-I, --include <HEADER>'),
    symbolFiles: accepted('-s, --sym-file-list <FILES>'),
    symbolFilesAgain: accepted('--sym_file_list <FILES>'),
    stringSize: integer('-Z, --string-size <BYTES>', 'bytes of a text that are kept, its end included; usually 80', {
      min: 2,
      max: 4096,
    }),
    binary: flag('-B, --bin-cmp', 'STRCMP takes a list of bytes: STRCMP("{0x7f, 0x45}", arg1)', {
      hidden: ['--bin_cmp'],
    }),
    force: flag('--force', 'hook returns of functions also where that may crash the program, as in Go'),
    elapsed: flag('-t, --timestamp', 'show the seconds since the start', { group: 'column' }),
    unix: flag('-u, --unix-timestamp', 'show the seconds since the epoch', { group: 'column' }),
    addresses: flag('-a, --address', 'show the addresses in stacks', { group: 'output' }),
    kernelStack: flag('-K, --kernel-stack', 'show the kernel stack', { group: 'column' }),
    userStack: flag('-U, --user-stack', 'show the user stack', { group: 'column' }),
    listPrograms: flag('--ebpf', 'print the BPF instructions of this run, and do nothing else', { group: 'output' }),
    aggregate: flag('-A, --aggregate', 'print at the end how often each line came up, instead of the lines', {
      group: 'output',
    }),
  },
  examples: {
    '\'t:sched:sched_process_exec "%s", filename\'': 'what is executed',
    '\'do_sys_openat2 "%s", filename\'': 'what is opened, by a function of the kernel',
    '\'r:c:malloc (retval == 0) "out of memory"\' -U': 'when malloc fails, and where',
    '\'vfs_read (count > 65536) "%s", file->f_path.dentry->d_name.name\'': 'what is read in large pieces',
    '-M 9 \'t:block:block_rq_issue (STARTS("W", rwbs)) "%d", bytes\'': 'sizes of the next nine writes to disks',
    "-A -K 't:syscalls:sys_enter_sync'": 'who calls sync(2), counted at the end',
  },
  sample: {
    before: 'A small server looks for its configuration in three places:',
    args: '-p 24775 \'c:fopen "%s", arg1\' \'r:c:fopen (retval == 0) "not there"\'',
    output: `
    PID     TID COMM             FUNC             -
  24775   24775 server           fopen            /etc/server/main.conf
  24775   24775 server           fopen            not there
  24775   24775 server           fopen            /usr/local/etc/main.conf
  24775   24775 server           fopen            not there
  24775   24775 server           fopen            /etc/hostname`,
    after:
      'The first specification prints the argument at the entry, the second one a line where fopen returns no file. The third file was there.',
  },
});
