import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { RunningWorkload } from './running-workload.ts';

/** How a steady rate of events went. */
export interface Sustained {
  /** Events a second that were reached. */
  readonly rate: number;
  readonly events: number;
  readonly lost: number;
  /** The most of the buffer that was in use, as a share. */
  readonly peak: number;
}

/** Half a million events a second, with the usual buffer: what is lost, and how near that came. */
export async function sustained(count: number): Promise<Sustained> {
  const program = fileURLToPath(new URL('../../commands/bin/opensnoop', import.meta.url));
  await using workload = await RunningWorkload.start('pacedOpens');
  const line = [program, '--json', '--stats', '-p', String(workload.pid)];
  const tool = spawn(process.execPath, line, { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(tool, 'exit');
  // Counted and thrown away: whoever reads slowly measures himself.
  let last = '';
  tool.stdout.setEncoding('latin1').on('data', (text: string) => {
    last = (last + text).slice(-65536);
  });
  await new Promise<void>((resolve) => {
    tool.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (text.includes('Ctrl-C')) {
        resolve();
      }
    });
  });
  const perOperation = await workload.run(count);
  tool.kill('SIGINT');
  await exited;
  const stats = JSON.parse(last.slice(last.lastIndexOf('{"type":"stats"')));
  const [ring] = stats.rings;
  const lost = stats.lost.find(({ what }: { what: string }) => what === 'events')?.total ?? 0;
  return { rate: 1e9 / perOperation, events: count, lost, peak: ring.peak / ring.size };
}
