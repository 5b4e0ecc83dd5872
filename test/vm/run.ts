import { parseArgs } from 'node:util';
import { armKernel, kernelSeries } from './fetch.ts';
import { Guest } from './guest.ts';

const usage = `Usage: node dist/test/vm/run.js [options] KERNEL -- COMMAND [ARGUMENT...]

Boots a kernel (${[...kernelSeries, armKernel].join(', ')}), runs the command in this directory and ends with its exit status.

  --memory MIB      memory of the guest (1024)
  --nodes N         NUMA nodes of the guest (1)
  --append TEXT     more for the kernel's command line
  --timeout SEC     kill the command after that time (3600)
  --repeat N        run the command N times in the same guest (1)
  --time            print how long the guest and the command took
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      memory: { type: 'string', default: '1024' },
      nodes: { type: 'string', default: '1' },
      append: { type: 'string', default: '' },
      timeout: { type: 'string', default: '3600' },
      repeat: { type: 'string', default: '1' },
      time: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [kernel, program, ...args] = positionals;
  if (values.help || kernel === undefined || program === undefined) {
    process.stderr.write(usage);
    return values.help ? 0 : 2;
  }
  const stamp = (what: string, since: number) => {
    if (values.time) console.error(`${what}: ${((performance.now() - since) / 1000).toFixed(2)} s`);
  };
  let since = performance.now();
  const { memory, nodes, append } = values;
  await using guest = await Guest.start({ kernel, memory: Number(memory), nodes: Number(nodes), append });
  stamp(`${guest.kernel.release} up`, since);
  // `| head` has seen enough.
  const closed = new AbortController();
  process.stdout.on('error', () => closed.abort(new Error('nobody reads the output')));
  let code = 0;
  for (let round = 0; round < Number(values.repeat); round += 1) {
    const [interrupt, end] = [new AbortController(), new AbortController()];
    // The first Ctrl-C is for the command, the second for one that does not listen.
    const onSignal = () => (interrupt.signal.aborted ? end.abort(new Error('interrupted')) : interrupt.abort());
    process.on('SIGINT', onSignal);
    since = performance.now();
    try {
      ({ code } = await guest.exec([program, ...args], {
        cwd: process.cwd(),
        timeout: Number(values.timeout) * 1000,
        env: { KSCOPE_IN_VM: '1' },
        interrupt: interrupt.signal,
        signal: AbortSignal.any([end.signal, closed.signal]),
        onStdout: (chunk) => process.stdout.write(chunk),
        onStderr: (chunk) => process.stderr.write(chunk),
      }));
    } finally {
      process.off('SIGINT', onSignal);
    }
    stamp(program, since);
    if (interrupt.signal.aborted) break;
  }
  since = performance.now();
  await guest.stop();
  stamp('stopped', since);
  return code;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 125;
}
