// node workload-main.js FILE NAME: told 'poke', it does an operation now and then and says so; told a number, it does that
// many operations and says how long they took. Ends with its input.
import type { Workload } from './workloads/workload.ts';

const POKE_EVERY = 2;
const [file = '', name = ''] = process.argv.slice(2);
const { [name]: workload } = (await import(file)) as Record<string, Workload>;
const started = (workload as Workload).start();
let number = 0;
const { poke } = started;
let poking: NodeJS.Timeout | undefined;
process.stdout.write(`ready ${started.mark ?? '-'}\n`);

process.stdin.on('data', (data) => {
  clearInterval(poking);
  if (String(data) === 'poke\n') {
    poking = setInterval(() => {
      const time = Date.now();
      poke?.(number);
      process.stdout.write(`poke ${number++} ${time}\n`);
    }, POKE_EVERY);
    return;
  }
  const start = process.hrtime.bigint();
  started.run(Number(data));
  process.stdout.write(`took ${process.hrtime.bigint() - start}\n`);
});
process.stdin.on('end', () => process.exit());
