import bpf from '../bpf/ksnoop.bpf.ts';
import { bufferPages, calls, commonOptions, filters, flag, functionValues, integer } from '../lib/tool.ts';

export default calls(bpf, {
  summary: 'Print arguments and results of functions of the kernel, structures too.',
  area: 'probes',
  description: `
Prints a line for each call of a function of the kernel, and one when it returns; below them are the values of its parameters and its result, as the kernel's BTF says that they are: structures member by member, those inside them nested, enumerations by name, arrays of characters as texts, pointers as addresses. What a parameter points to is shown, too; what members point to is not.

With FUNCTION alone all parameters are shown, six at most, and the result, whose name is return. With a list in parentheses it is only those, or what is behind them in any number of steps: 'vfs_read(file->f_path.dentry->d_name.name, return)'. Expressions are those of C, as trace(8) has them, casts included. A comparison is a condition, and what it compares is shown: 'tcp_sendmsg(size > 4096, sk->__sk_common)'. All conditions of a function must hold; with one of the result, the line of the entry comes when the function returns. Numbers are compared with the sign that their type has.

Members that are 0 or empty are left out, without --zeros; --json has them all, with 64-bit numbers as texts, where pointers point in "addresses", and in "partial" what was read in part. All members of a union are shown, whichever of them is meant. Structures are read when the function is entered or returns, up to --struct-size bytes; what else writes to them meanwhile may show.

With --ordered, functions are shown only where each is called, directly or not, by the one before it; lines come when the last is entered. Where many are called in no such order, that costs as much as to show them.

'ksnoop info FUNCTION' prints how the function is declared, and 'ksnoop help' how to use this. -d of bcc is --verbose.`,
  overhead:
    'About 0.2 µs for a line with numbers, 0.27 µs with a structure of 1024 bytes and 0.4 µs with one of 4096 (run time of the program, on a busy 2-core virtual machine), and what the place costs by itself. To print a structure takes about 2 µs of processor time for each of its members: that of a busy function may come faster than it can be shown, and the conditions decide in the kernel.',
  words: { trace: 'calls', info: 'declarations', help: 'help' },
  options: {
    functions: functionValues,
    ...filters,
    ordered: flag('-s, --ordered', 'only where the functions call each other in this order', {
      group: 'filter',
      hidden: ['--stack'],
    }),
    structureSize: integer('--struct-size <BYTES>', 'bytes of each structure that are read; usually 1024', {
      min: 8,
      max: 16_384,
    }),
    bufferPages: bufferPages('-P, --pages <PAGES>'),
    zeros: flag('-z, --zeros', 'also show members that are 0 or empty', { group: 'output' }),
    verbose: { ...commonOptions.verbose, hidden: ['-d', '--debug'] },
  },
  examples: {
    vfs_unlink: 'what is deleted, and where: all of the arguments',
    "'vfs_read(file->f_path.dentry->d_name.name, count > 65536, return)'": 'large reads, and what came of them',
    "-p 181 'tcp_sendmsg(sk->__sk_common, size)'": 'the connections that process 181 sends to',
    "'do_sys_openat2(filename, how, return < 0)'": 'what cannot be opened',
    '-s tcp_sendmsg ip_queue_xmit': 'only what is sent at once',
    'info vfs_read vfs_write': 'how functions are declared',
  },
  sample: {
    before: 'cat is asked for a file that is not there:',
    args: "--comm cat 'do_sys_openat2(filename, how, return < 0)'",
    output: `
TIME      CPU     PID COMM             FUNC
21:27:22    0     430 cat              do_sys_openat2
    filename = 0x7ffc4872bf19 (char *) = "/etc/shop/shop.conf"
    how = 0xffffc90000457d48 (struct open_how *):
        flags = 0x8000
21:27:22    0     430 cat              do_sys_openat2 returns
    return = -2`,
    after:
      'The condition lets only failures through: -2 is ENOENT. Of struct open_how, mode and resolve are 0 and not shown. What cat looked for besides, texts in its language, was left out here.',
  },
});
