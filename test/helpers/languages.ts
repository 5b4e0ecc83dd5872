import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Answering } from './answering.ts';
import { compiledProgram } from './compiled-program.ts';
import type { TemporaryDirectory } from './temporary-directory.ts';

const python = '/usr/bin/python3.11';
const ruby = '/usr/bin/ruby3.1';
const php = '/usr/bin/php8.2';

const pythonWork = `
import gc, os
gc.disable()
def leaf(n): return n + 1
def fact(n): return 1 if n < 2 else n * fact(n - 1)
def work():
    for i in range(3): leaf(i)
    fact(5)
while True:
    byte = os.read(0, 1)
    if not byte: break
    if byte == b'c': work()
    if byte == b'g': gc.collect()
    os.write(1, byte)
`;

const rubyWork = `
class Work
  def leaf(n) = n + 1
  def fact(n) = n < 2 ? 1 : n * fact(n - 1)
  def work
    leaf(1); leaf(2); leaf(3)
    fact(5)
  end
end
GC.disable
# Without this, only methods in C are said.
TracePoint.new(:call, :return) {}.enable
work = Work.new
while (byte = $stdin.sysread(1) rescue nil)
  work.work if byte == 'c'
  7.times { Work.new } if byte == 'o'
  3.times { 'x'.center(100) } if byte == 's'
  $stdout.syswrite(byte)
end
`;

const phpWork = `
class Work {
  function leaf($n) { return $n + 1; }
  function fact($n) { return $n < 2 ? 1 : $n * $this->fact($n - 1); }
}
function plain() {}
$work = new Work;
while (($byte = fread(STDIN, 1)) !== '') {
  if ($byte === 'c') {
    for ($i = 0; $i < 3; $i++) $work->leaf($i);
    $work->fact(5);
    plain();
  }
  if ($byte === 'x') {
    for ($i = 0; $i < 4; $i++) try { throw new Exception; } catch (Exception $e) {}
  }
  fwrite(STDOUT, $byte);
}
`;

/**
 * Work.class: leaf() three times and fact(5) for c, System.gc() for g, seven objects of class Work for o, a thread
 * "worker-of-work" that calls leaf() for t.
 */
const javaWork =
  'yv66vgAAADcASAoAAgADBwAEDAAFAAYBABBqYXZhL2xhbmcvT2JqZWN0AQAGPGluaXQ+AQADKClWCgAIAAkHAAoMAAsADAEABFdvcmsBAARmYWN0AQAEKEkpSQoACAAODAAPAAwBAARsZWFmCQARABIHABMMABQAFQEAEGphdmEvbGFuZy9TeXN0ZW0BAAJpbgEAFUxqYXZhL2lvL0lucHV0U3RyZWFtOwoAFwAYBwAZDAAaABsBABNqYXZhL2lvL0lucHV0U3RyZWFtAQAEcmVhZAEAAygpSQoAEQAdDAAeAAYBAAJnYwoACAADCQAIACEMACIAIwEABGtlcHQBABJMamF2YS9sYW5nL09iamVjdDsHACUBABBqYXZhL2xhbmcvVGhyZWFkCAAnAQAOd29ya2VyLW9mLXdvcmsKACQAKQwABQAqAQApKExqYXZhL2xhbmcvUnVubmFibGU7TGphdmEvbGFuZy9TdHJpbmc7KVYKACQALAwALQAGAQAFc3RhcnQKACQALwwAMAAGAQAEam9pbgkAEQAyDAAzADQBAANvdXQBABVMamF2YS9pby9QcmludFN0cmVhbTsKADYANwcAOAwAOQA6AQATamF2YS9pby9QcmludFN0cmVhbQEABXdyaXRlAQAEKEkpVgoANgA8DAA9AAYBAAVmbHVzaAcAPwEAEmphdmEvbGFuZy9SdW5uYWJsZQEABENvZGUBAA1TdGFja01hcFRhYmxlAQADcnVuAQAEbWFpbgEAFihbTGphdmEvbGFuZy9TdHJpbmc7KVYBAApFeGNlcHRpb25zBwBHAQATamF2YS9sYW5nL0V4Y2VwdGlvbgAhAAgAAgABAD4AAQAIACIAIwAAAAUAAQAFAAYAAQBAAAAAEQABAAEAAAAFKrcAAbEAAAAAAAgADwAMAAEAQAAAABAAAgABAAAABBoEYKwAAAAAAAgACwAMAAEAQAAAACkAAwABAAAAEhoFogAHBKcACxoaBGS4AAdorAAAAAEAQQAAAAUAAglHAQABAEIABgABAEAAAAASAAEAAQAAAAYDuAANV7EAAAAAAAkAQwBEAAIAQAAAAMsABAADAAAAnbIAELYAFlk8mwCUG6sAAAAAAACAAAAABAAAAGMAAAAsAAAAZwAAAEYAAABvAAAATAAAAHQAAABnAz0cBqIADhy4AA1XhAIBp//zCLgAB1enAD24ABynADcDPRwQB6IAE7sACFm3AB+zACCEAgGn/+2nABy7ACRZuwAIWbcAHxImtwAoTSy2ACsstgAusgAxG7YANbIAMbYAO6f/Z7EAAAABAEEAAAAcAAsA/AA3AfwAAQH6AA8HBfwAAQH6ABUCGPoADwBFAAAABAABAEYAAA==';

const machines = '/usr/lib/jvm';
const java = (existsSync(machines) ? readdirSync(machines) : [])
  .map((name) => join(machines, name, 'bin/java'))
  .find((path) => existsSync(path));

/** A program with the probes that Perl and Tcl have where they are built with them, that allocates and starts threads as well. */
const probedWork = `
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define PROBE(provider, name, args, ...)					\\
	asm volatile("990: nop\\n"						\\
		".pushsection .note.stapsdt,\\"\\",\\"note\\"\\n"	\\
		".balign 4\\n.4byte 992f-991f, 994f-993f, 3\\n"		\\
		"991: .asciz \\"stapsdt\\"\\n992: .balign 4\\n"	\\
		"993: .8byte 990b\\n.8byte 0\\n.8byte 0\\n"		\\
		".asciz \\"" provider "\\"\\n.asciz \\"" name "\\"\\n"	\\
		".asciz \\"" args "\\"\\n994: .balign 4\\n.popsection"	\\
		:: __VA_ARGS__)
#define SUB "r"(names[0]), "r"(names[0]), "r"(7L), "r"(names[1])

/* Text of the program itself would not be in memory before it is used. */
static char names[3][32];

static void work(int depth)
{
	PROBE("perl", "sub__entry", "8@%0 8@%1 8@%2 8@%3", SUB);
	PROBE("tcl", "proc__entry", "8@%0", "r"(names[2]));
	if (depth > 1)
		work(depth - 1);
	PROBE("tcl", "obj__create", "8@%0", "r"(&depth));
	PROBE("tcl", "proc__return", "8@%0", "r"(names[2]));
	PROBE("perl", "sub__return", "8@%0 8@%1 8@%2 8@%3", SUB);
}

void *thread_of_work(void *arg)
{
	return arg;
}

int main(void)
{
	pthread_t thread;
	void *volatile block;
	char byte;

	strcpy(names[0], "work");
	strcpy(names[1], "Some::Package");
	strcpy(names[2], "::work");
	while (read(0, &byte, 1) == 1) {
		if (byte == 'c')
			work(3);
		for (int i = 0; byte == 'm' && i < 5; i++)
			block = malloc(4242);
		for (int i = 0; byte == 'm' && i < 2; i++)
			block = calloc(3, 1414);
		if (byte == 't' && (pthread_create(&thread, NULL, thread_of_work, NULL) || pthread_join(thread, NULL)))
			return 2;
		if (write(1, &byte, 1) != 1)
			return 1;
	}
	return 0;
}
`;

/** Languages whose runtime is installed as Debian builds it, and a program in each that works when it is asked to. */
export const languages: Readonly<Record<'java' | 'php' | 'python' | 'ruby', Language>> = {
  java: {
    missing: java === undefined && 'there is no Java',
    start(place, options = []) {
      writeFileSync(join(place.path, 'Work.class'), Buffer.from(javaWork, 'base64'));
      return new Answering(java ?? '', ['-XX:+UseSerialGC', '-Xmx32m', ...options, '-cp', place.path, 'Work']);
    },
  },
  php: {
    missing: !existsSync(php) && 'there is no PHP 8.2',
    start: () => new Answering(php, ['-nr', phpWork], { ...process.env, USE_ZEND_DTRACE: '1' }),
  },
  python: {
    missing: !existsSync(python) && 'there is no Python 3.11',
    start: () => new Answering(python, ['-Sc', pythonWork]),
  },
  ruby: {
    missing: !existsSync(ruby) && 'there is no Ruby 3.1',
    start: () => new Answering(ruby, ['--disable-gems', '-e', rubyWork]),
  },
};

export interface Language {
  /** Why a test skips it. */
  readonly missing: string | false;
  start(place: TemporaryDirectory, options?: readonly string[]): Answering;
}

/** A program that works as if in Perl and in Tcl, three calls deep, and is ready. Skips the test where there is no compiler. */
export async function startProbed(t: TestContext, place: TemporaryDirectory): Promise<Answering | undefined> {
  const program = compiledProgram(t, place, 'probed', probedWork);
  if (program === undefined) {
    return undefined;
  }
  const started = new Answering(program, []);
  await started.ask('.');
  return started;
}
