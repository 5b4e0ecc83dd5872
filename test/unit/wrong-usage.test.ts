// What the command line refuses before anything is looked at: that an end-to-end test of one command shows, these all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArguments } from '../../lib/cli/command.ts';
import { Registry } from '../../lib/cli/registry.ts';
import { KscopeError } from '../../lib/model/errors.ts';

type Case = readonly [args: readonly string[], message: string, hint?: string | RegExp];

const port = (given: string) => `'${given}' is not a whole number from 1 to 65535`;
const pid = (given: string) => `'${given}' is not a whole number from 1 to 4194304`;
const noUser = "option '-u, --uid <USER>': there is no user 'no-such-user'";

const cases: Readonly<Record<string, readonly Case[]>> = {
  argdist: [
    [['-C', 'p:c:open'], "option '-C, --count <SPECIFICATION>': a function or event has () behind its name", /^TYPE:/],
    [
      ['-C', 't:sched:sched_switch(int a)'],
      "option '-C, --count <SPECIFICATION>': what has fields has no signature: ()",
    ],
  ],
  dbslower: [[['oracle'], "argument '<database>': 'oracle' is not one of postgres, mysql, mariadb"]],
  dirtop: ['/missing-*', '/etc/passwd'].map((path) => [
    ['-d', path],
    `option '-d, --root-directories <DIRECTORIES>': there is no directory '${path}'`,
  ]),
  execsnoop: [
    [['-n', '('], "option '-n, --name <REGEX>': '(' is not a regular expression"],
    [['-l', '['], "option '-l, --line <REGEX>': '[' is not a regular expression"],
    [['--max-args', '0'], "option '--max-args <COUNT>': '0' is not a whole number from 1 to 2147483647"],
    [['-P', 'x'], "option '-P, --ppid <PID>': 'x' is not a whole number from 1 to 2147483647"],
    [['-u', 'no-such-user'], noUser],
  ],
  exitsnoop: [
    [['-p', '-1'], `option '-p, --pid <PID>': ${pid('-1')}`],
    [['-t', '0'], `option '-t, --tid <TID>': ${pid('0')}`],
    [['--label'], "option '--label <TEXT>' needs a value"],
  ],
  fsdist: [[['-t', 'ext5'], "option '-t, --type <TYPE>': 'ext5' is not a kind of file system", /^kinds: .*ext4/]],
  funclatency: [
    [['-u', '-m', 'vfs_read'], "option '-u, --microseconds' cannot be used with option '-m, --milliseconds'"],
  ],
  opensnoop: [
    [
      ['-f', 'O_NONSENSE'],
      "option '-f, --flag-filter <FLAG>': 'O_NONSENSE' is not a flag of open(2)",
      /^flags: .*CREAT/,
    ],
    [['-b', '0'], "option '-b, --buffer-pages <PAGES>': '0' is not a whole number from 1 to 262144"],
    [['--buffer-size', '1'], "option '--buffer-size <BYTES>': '1' is not a size from 4K to 1G"],
    [['--comm'], "option '--comm <NAME>' needs a value"],
    [['-d', '0'], "option '-d, --duration <SECONDS>': '0' is not a number of seconds above 0"],
    [['-p', '0'], `option '-p, --pid <PID>': ${pid('0')}`],
    [['-p', '99999999999999999999'], `option '-p, --pid <PID>': ${pid('99999999999999999999')}`],
    [['-t', 'x'], `option '-t, --tid <TID>': ${pid('x')}`],
    [['--time', 'sundial'], "option '--time <FORMAT>': 'sundial' is not one of clock, rfc3339, unix, relative"],
  ],
  sigsnoop: [[['-s', 'TERM,BOO'], "option '-s, --signal <SIGNALS>': 'BOO' is not a signal", 'kill -l lists them']],
  skbdrop: [[['-r', '('], "option '-r, --reason <REGEX>': '(' is not a regular expression"]],
  skbtrace: ['256', '0', 'upd', 'constructor'].map((given) => [
    ['--proto', given],
    `option '--proto <PROTOCOL>': '${given}' is not a protocol`,
  ]),
  softirqs: [[['-C', '-d'], "option '-d, --dist' cannot be used with option '-C, --count'"]],
  sslsniff: [
    [
      ['--extra-lib', 'rustls:/bin/sh'],
      "option '--extra-lib <TYPE:FILE>': 'rustls:/bin/sh' is not TYPE:FILE with a type of openssl, gnutls or nss",
    ],
  ],
  syscount: [[['--syscall', 'opne'], "option '--syscall <NAME>': 'opne' is not a system call of this architecture"]],
  tcpaccept: [[['-P', '80,65536'], `option '-P, --port <PORTS>': ${port('65536')}`]],
  tcpcong: [
    [['-L', '80-'], `option '-L, --localport <PORTS>': ${port('')}`],
    [['-L', '90-80'], "option '-L, --localport <PORTS>': '90-80' is neither a port nor a range of ports"],
    [['-L', '0'], `option '-L, --localport <PORTS>': ${port('0')}`],
    [['-L', '1-2-3'], "option '-L, --localport <PORTS>': '1-2-3' is neither a port nor a range of ports"],
    [['-L', '1-65536'], `option '-L, --localport <PORTS>': ${port('65536')}`],
  ],
  tcpconnect: [
    [['-4', '-6'], "option '-4, --ipv4' cannot be used with option '-6, --ipv6'"],
    [['-P', '0'], `option '-P, --port <PORTS>': ${port('0')}`],
    [['-P', '80,'], `option '-P, --port <PORTS>': ${port('')}`],
    [['-P', 'http'], `option '-P, --port <PORTS>': ${port('http')}`],
    [['-c', '-d'], "option '-d, --dns' cannot be used with option '-c, --count'"],
  ],
  tcpconnlat: [[['soon'], "argument '[min_ms]': 'soon' is not a number of milliseconds"]],
  tcppktlat: [[['1.5s'], "argument '[min_us]': '1.5s' is not a whole number from 0 to 2147483647"]],
  traceloop: [
    [['-s', 'openat,opennot'], "option '-s, --syscalls <NAMES>': 'opennot' is not a system call of this architecture"],
  ],
};

const registry = new Registry();

for (const [name, wrong] of Object.entries(cases)) {
  test(`${name}: what is wrong on the command line is said, and what would be right`, async () => {
    const tool = await registry.load(name);
    for (const [args, message, hint = `${name} --help`] of wrong) {
      assert.throws(
        () => parseArguments(name, tool, args),
        (error) => {
          assert.ok(error instanceof KscopeError, String(error));
          assert.deepEqual([error.code, error.message], ['usage', message]);
          const hints = error.hints.join('\n');
          assert.ok(typeof hint === 'string' ? hints === hint : hint.test(hints), hints);
          return true;
        },
      );
    }
  });
}
