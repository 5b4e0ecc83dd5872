import { spawnProcess, waitStatus } from '../../helpers/spawn-process.ts';
import type { Workload } from './workload.ts';

const words = { poke: 'kscope-poke', event: 'kscope-exec' };

function run(word: string, number: number): void {
  waitStatus(spawnProcess('/bin/true', ['/bin/true', `${word}-${process.pid}-${number}`]));
}

export const execs: Workload = {
  unit: 'exec',
  count: 10_000,
  start: () => ({
    poke: (number) => run(words.poke, number),
    run(count) {
      for (let i = 0; i < count; i++) {
        run(words.event, i);
      }
    },
  }),
  eventLine: (pid) => new RegExp(`${words.event}-${pid}-`),
  firstPoke(text, pid) {
    const number = new RegExp(`${words.poke}-${pid}-(\\d+)(?=[\\s"])`).exec(text)?.[1];
    return number === undefined ? undefined : Number(number);
  },
};
