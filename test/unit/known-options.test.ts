import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArguments } from '../../lib/cli/command.ts';
import { Registry } from '../../lib/cli/registry.ts';

/** Command lines as people know them from bcc and other tools for BPF, with options that help does not list. */
const known: Readonly<Record<string, string>> = {
  tcpconnect: `
    --timestamp; -p 1; --pid 1; -P 80,81; --port 80; -u 0; --uid 0; -U; --print-uid; -c; --count; -4;
    --ipv4; -6; --ipv6; -L; --lport; -d; --dns; -s; --source-port; --cgroupmap x; --mntnsmap x; -C x;
    -M x`,
  tcpconnlat: '--timestamp; -p 1; -L; --lport; -4; -6; -v; 0.1',
  tcpaccept: '-T; --timestamp; -p 1; -P 80; --port 80; -4; -6; --cgroupmap x; --mntnsmap x',
  tcplife: '-T; --timestamp; -w; --wide; -s; --csv; -p 1; -L 80; --localport 1; -D 1; --remoteport 1; -4; -6',
  tcpretrans: '-s; --sequence; -l; --lossprobe; -c; --count; -4; -6',
  tcpdrop: '-4; -6; --netns-id 1; --pid-netns 1',
  tcprtt: `
    -i 1; --interval 1; -d 1; --duration 1; -T; --timestamp; -m; --milliseconds; -p 1; --lport 1; -P 1;
    --rport 1; -D; --debug; -a 127.0.0.1; --laddr 127.0.0.1; -A 127.0.0.1; --raddr 127.0.0.1; -b; --byladdr; -B;
    --byraddr; -e; --extension; -4; -6; --sport 1; --dport 1; --ms`,
  tcpstates: '-T; --timestamp; -w; -s; --csv; -L 1; --localport 1; -D 1; --remoteport 1; -4; -6',
  tcpsubnet: '10.0.0.0/8,0.0.0.0/0; -f K; --format b; -i 1; --interval 1; -J; --json; -v; --verbose',
  tcpsynbl: '-4; -6; -T; --timestamp; 1 2',
  tcptop: `
    -C; --noclear; -S; --nosummary; -p 1; 1 2; -4; -6; --cgroupmap x; --mntnsmap x; -c /; --cgroup /;
    -s sent; -s all; -s received; --sort all; -r 3; --rows 3; --family 4; --family 6`,
  tcptracer: `
    --timestamp; -p 1; -N 1; --netns 1; -v; --verbose; -4; -6; -U; --print-uid; -u 0; --uid 0;
    --cgroupmap x; --mntnsmap x; -C x; -M x; --connect-only; --accept-only; --failure-only`,
  tcpcong: `
    -L 1-3; --localport 1-3; -R 1-3; --remoteport 1; -T; --timestamp; -d; --dist; -u; --microseconds;
    1 2`,
  tcppktlat: '-p 1; -t 1; --tid 1; -T; --timestamp; -l 1; --lport 1; -r 1; --rport 1; -w; --wide; 10',
  solisten: '-p 1; --show-netns; -n 1; --netns 1; --timestamp',
  bindsnoop: `
    --timestamp; -w; --wide; -p 1; -P 1,2; --port 1; --ports 1; -E; --errors; -x; --failed; -U;
    --print-uid; -u 0; --uid 0; --count; --cgroupmap x; --mntnsmap x; -c /; --cgroup /; --ignore-errors; --ignore-errors=false`,
  netqtop: '-n lo; --name lo; -i 1; --interval 1; -t; --throughput',
  gethostlatency: '-p 1; -l /lib; --libc x',
  sslsniff: `
    -p 1; -u 0; --uid 0; -x; --extra; -c x; --comm x; -o; --no-openssl; -g; --no-gnutls; -n; --no-nss;
    -d; --debug; --hexdump; --max-buffer-size 100; -l; --latency; -l --handshake; --extra-lib openssl:/bin/true;
    --record-data; --record-data=true; --record-data=false`,
  mptcpify: '-t a; --targets a',
  qdisclat: '--ms; --ifindex 1',
  sofdsnoop: '-T; --timestamp; -p 1; --target_pid 1; -t 1; --tid 1; -n x; --name x; -d 1; --duration 1',
  execsnoop: `
    -T; --timestamp; -x; --fails; -u root; --uid 0; -q; --quote; -n x; --name x; -l x; --line x; -U;
    --print-uid; --paths; --max-args 3; -C; --print-cpu; -M; --print-pcomm; -P 1; --ppid 1; --cgroupmap x;
    --mntnsmap x; -c /; --cgroup /; --ignore-failed; --ignore-failed=false`,
  exitsnoop:
    '--timestamp; --timespec; --utc; -p 1; --label=x; -x; --failed; --per-thread; -T; --threaded; -c /; --cgroup /',
  sigsnoop: '-x; --failed; -k; --kill; -p 1; -s 9; --signal 9; -n; --name; --kill-only',
  syscount: `
    -p 1; -t 1; --tid 1; -c 1; --ppid 1; --syscall read; --cgroup /; -i 1; --interval 1; -d 1;
    --duration 1; -T 5; --top 5; -x; --failures; -e ENOENT; --errno 2; -L; --latency; -m;
    --milliseconds; -P; --process; -l; --list; --sysname`,
  traceloop: '--syscall-filters read,write',
  runqlat: '-T; --timestamp; -m; --milliseconds; -P; --pids; -L; --tids; --pidnss; -p 1; -c /; --cgroup /; 1 2',
  runqlen: '-T; -O; --runqocc; --cpus; -f 50; --frequency 50; -H; --host; 1 2',
  runqslower: '100; -p 1; -t 1; -P; --previous; -c x; --comm x',
  cpudist: `
    -O; --offcpu; -T; --timestamp; -m; --milliseconds; -P; --pids; -L; --tids; -p 1; -I; --include-idle;
    -e; --extension; -c /; --cgroup /; 1 2`,
  cpuunclaimed: '-T; --timestamp; -j; -J; --csv; --fullcsv; -T -j; 1 2',
  offcputime: `
    -p 1,2; --pid 1; -t 1,2; --tid 1; --user-threads-only; -k; --kernel-threads-only; -U;
    --user-stacks-only; -K; --kernel-stacks-only; -d; --delimited; -f; --folded; -s; --offset;
    --stack-storage-size 1024; --perf-max-stack-depth 50; -m 1; --min-block-time 1; -M 9;
    --max-block-time 9; --state 2; 3`,
  offwaketime: '-p 1,2; -t 1,2; -k; -U; -K; -d; -f; --folded; --stack-storage-size 1024; -m 1; -M 9; --state 2; 3',
  wakeuptime: `
    --useronly; --user-threads-only; -p 1; -v; --verbose; -f; --folded; --stack-storage-size 1024;
    --perf-max-stack-depth 50; -m 1; -M 9; 3`,
  profile: `
    -p 1,2; -L 1,2; --tid 1; -U; --user-stacks-only; -K; --kernel-stacks-only; -F 99; --frequency 99;
    -d; --delimited; -a; --annotations; -A; --address; -I; --include-idle; -f; --folded; --hash-storage-size 40960;
    --stack-storage-size 1024; --perf-max-stack-depth 50; -C 0; --cpu 0; --cgroupmap x; --mntnsmap x; 3`,
  hardirqs: `
    -T; -N; --nanoseconds; -d; --dist; --distributed; -C; --count; --CPU; -c 0; --cpu 0; -s 0;
    --cgroup /; 1 2`,
  softirqs: '-T; -N; --nanoseconds; -d; --dist; --distributed; -C; --events; --count; -c 0; --cpu 0; 1 2',
  softirqslower: '100; -c 0; --cpu 0',
  wqlat: '-T; -N; --nanoseconds; -W; --workqueues; -w x; --wqname x; 1 2',
  klockstat: `
    -p 1; -t 1; -d 1; -i 1; -n 3; -c x; -S acq_max; -S acq_total; -S acq_count;
    --stack-storage-size 1024; -L 0x10; --lock 0x10; -P; --per-thread; -R; --reset; -T; --timestamp;
    --locks 3; --stacks 3; --caller x`,
  futexctn: `
    -p 1; -t 1; -l 0x10; --lock 0x10; -T; --timestamp; -m; --milliseconds; -s; --summary;
    --perf-max-stack-depth 50; --stack-storage-size 1024; 1 2`,
  deadlock: `
    1; --pid 1; --binary /x 1; --lock-symbols a,b 1; --unlock-symbols c,d 1; --verbose 1; -t 9; --threads 9 1; -e 9;
    --edges 9 1; -s 9; --stacktraces 9 1`,
  cpufreq: '-d 1; --duration 1; -f 50; --frequency 50; -c /; --cgroup /',
  inject: 'kmalloc -I linux/mm.h; kmalloc -P 0.1; kmalloc --probability 1; kmalloc -v; kmalloc -c 3; kmalloc --count 3',
  lsmsnoop: '--trace-all',
  syncsnoop: '-v',
  mdflush: '-v',
  oomkill: '-v',
  numamove: '-v',
  cputhrottle: '--interval 5; --interval 5 --count 2; 5 2',
  llcstat: '-c 100; --sample_period 100; -t; --tid; 5',
  numasched: '-p 1; -t 1; -c x; --comm x',
  bpflist: '-v; -vv',
  bpfstats: '1 2',
  ucalls: `
    1; 1 5; -l java 1; --language none 1; -T 5 1; --top 5 1; -L 1; --latency 1; -S 1; --syscalls 1; -v 1; --verbose 1;
    -m 1; --milliseconds 1`,
  uflow: '1; -M x 1; --method x 1; -C x 1; --class x 1; -l php 1; --language tcl 1; -v 1',
  uobjnew: '1; 1 5; -l c 1; --language java 1; -C 5 1; --top-count 5 1; -S 5 1; --top-size 5 1; -v 1',
  ustat: '-l java; -C; --noclear; -S gc; --sort cload; -r 5; --maxrows 5; -d; --debug; 5 10',
  uthreads: '1; -l java 1; --language c 1; -l none 1; -v 1',
  ttysnoop: '-C pts/0; --noclear pts/0; -s 9 /dev/pts/0; --datasize 9 0; -c 9 0; --datacount 9 0',
  capable: `
    -v; --verbose; -p 1; -K; --kernel-stack; -U; --user-stack; -x; --extra; --extra-fields; --unique; --unique pid; --unique cgroup; --unique=cgroup;
    --cgroupmap x; --mntnsmap x; -c /; --cgroup /; --perf-max-stack-depth 50; --stack-storage-size 1024;
    --audit-only; --collect-kstack`,
  threadsample: `
    -a; --all; -p 1; --pid 1; -t 1; --tid 1; -F 10; --freq 10; -i 5; --iterations 5; -P; --passive; -k; --kernel-stacks;
    -s; --print-stacks; -n; --narrow-output; -w; --wide-output; 1 5`,
  udptop: '-p 1; -4; -6',
  udplife: '-p 1; -4; -6',
  opensnoop: `
    -T; --timestamp; -U; --print-uid; -x; --failed; -p 1; -t 1; -u 0; --uid 0; -d 1; --duration 1; -n x;
    --name x; -e; --extended_fields; --extended-fields; -F; --full-path; -f O_WRONLY; --flag_filter
    O_CREAT; -b 64; --buffer-pages 64; --cgroupmap x; --mntnsmap x; -c; --callers; --errname; --paths; --depth 35`,
  statsnoop: '--timestamp; -s; --sysname; -x; --failed; -p 1',
  filelife: '-p 1; -F; --full-path',
  filegone: '-p 1; --pid 1',
  filetop: `
    -a; --all-files; --all; -C; --noclear; -r 5; --maxrows 5; --rows 5; -s all; -s reads; -s wbytes;
    --sort rbytes; -p 1; --read-only; --write-only; -d /; --directory /; 1 2`,
  fileslower: '10; -p 1; -a; --all-files',
  dirtop: `
    -d / -C; --root-directories /; -d / --noclear; -d / -r 5; -d / --maxrows 5; -d / -s all; -d / -s
    rbytes; -d / -p 1; -d / 1 2`,
  vfsstat: '1 2; -p 1',
  vfscount: '5',
  dcstat: '1 2',
  dcsnoop: '-a; --all',
  mountsnoop: '-P; --parent_process; --cgroupmap x; --mntnsmap x; -p 1; --timestamp; -d; --detailed',
  fsdist: `
    -t ext4 1 2; -t ext4 -m; -t ext4 --milliseconds; -t ext4 -p 1; -t ext4 -T; --type xfs --timestamp;
    -t zfs --notimestamp; -t bcachefs; -t fuse; -t f2fs`,
  fsslower: `
    -t ext4 -m 1; -t ext4 --min 1; -t ext4 -c; -t ext4 --csv; -t ext4 -j; -t f2fs -s; -t btrfs -d 1; -t
    ext4 --duration 1; -t ext4 -p 1; -t nfs 10; --filesystem ext4`,
  cachestat: '-T; --timestamp; 1 2',
  cachetop: '-p 1; 5',
  readahead: '-d 1; --duration 1',
  biolatency: `
    -T; --timestamp; -Q; --queued; -m; --milliseconds; -D; --disks; -F; --flags; --flag; -d vda; --disk
    vda; -e; --extension; -j; --json; -c /; --cgroup /; 1 2`,
  biosnoop: `
    -Q; --queue; --queued; -d vda; --disk vda; -P; --pattern; -c /; --cgroup /; -m 1; --min 1;
    --timestamp; 10`,
  biotop: `
    -C; --noclear; -r 5; --maxrows 5; --rows 5; -p 1; -s all; -s io; -s bytes; -s time; --sort io; 1 2`,
  biopattern: '-d vda; --disk vda; -T; --timestamp; 1 2',
  biostacks: '-d vda; --disk vda; -m; --milliseconds; 10',
  biolatpcts: `
    vda; /dev/vda; vda -i 3; vda --interval 3; vda -i 0; vda -i -1; vda -w from-rq-alloc; vda --which on-device; vda -p
    1,50,99; vda --pcts 50; vda -j; vda --json; vda -v`,
  openfiles: '--paths; --type-mask 17',
  bitesize: '-T; --timestamp; -c x; --comm x; -d vda; --disk vda; 1 2',
  virtiostat: '-T; --timestamp; -d x; --driver x; -n x; --devname x; -D; --debug; 1 2',
  memleak: `
    -p 1; -t; --trace; -a; --show-allocs; -o 5; --older 5; -s 5; --sample-rate 5; -T 5; --top 5; -z 5;
    --min-size 5; -Z 5; --max-size 5; -p 1 -O /x; -p 1 --obj /x; --combined-only; -C; --wa-missing-free;
    -F; --percpu; -P; --symbols-prefix je_; -S je_; --sort size; --sort count; --stack-storage-size 100;
    --perf-max-stack-depth 50; -c true; --command true; 5 2`,
  slabratetop: `
    -C; --noclear; -r 5; --maxrows 5; --rows 5; -p 1; -s name; -s count; -s size; --sort count; 1 2`,
  drsnoop: `
    -p 1; -t 1; --tid 1; -d 1; --duration 1; -T; --timestamp; -U; --print-uid; -u 0; --uid 0; -n x;
    --name x; -v; --verbose; -e; --extended`,
  compactsnoop: '-T; --timestamp; -p 1; -d 1; --duration 1; -K; --kernel-stack; -e; --extended_fields',
  swapin: '-T; --notime; 1 2',
  shmsnoop: '-T; --timestamp; -p 1; -t 1; --tid 1; -d 1; --duration 1; -n x; --name x',
  kvmexit: `
    10; -p 1; -t 1; --tid 1; -T 1,2; --tids 1,2; -v 0; --vcpu 0; -p 1 -a; --alltids; -m 64; --max-parallelism 64; -d; --debug`,
  fsnotify: '--inotify-only; --fanotify-only; --tracer-pid 1; --tracee-pid 1; --tracer-group 0xffff888100b1c000',
};

const tools = await new Registry().loadAll();

for (const [name, lines] of Object.entries(known)) {
  test(`${name} understands what others have for the same`, () => {
    const tool = tools.get(name);
    assert.ok(tool !== undefined);
    for (const line of lines.split(';')) {
      assert.equal(parseArguments(name, tool, line.trim().split(/\s+/)).kind, 'run', line);
    }
  });
}
