import { spawn } from 'node:child_process';
import { basename } from 'node:path';
import { VmUnavailable } from './unavailable.ts';

export interface CommandOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Milliseconds; the command is killed after that. */
  timeout?: number;
  input?: Uint8Array;
}

/**
 * Runs a host program to its end, or ours, and returns its stdout as bytes.
 * Throws {@link VmUnavailable} with the last lines of stderr when it is missing, fails or takes too long.
 */
export function command(file: string, args: readonly string[], options: CommandOptions = {}): Promise<Buffer> {
  const { timeout = 60_000, input, ...rest } = options;
  return new Promise((resolve, reject) => {
    // An apt that outlives us would hold its lock against the next run.
    const bound = ['--pdeathsig', 'KILL', '--', file, ...args];
    const child = spawn('setpriv', bound, { stdio: ['pipe', 'pipe', 'pipe'], ...rest });
    const stdout: Buffer[] = [];
    let stderr = '';
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, timeout);
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk).slice(-4096);
    });
    // A program that ends before it has read its input is judged by its exit status, not by EPIPE.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.on('error', (cause) => {
      clearTimeout(timer);
      reject(new VmUnavailable(`${basename(file)}: ${cause.message}`, { cause }));
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) return resolve(Buffer.concat(stdout));
      const why = late ? `no end after ${timeout / 1000} s` : signal ? `killed by ${signal}` : `exit status ${code}`;
      const said = stderr.trim().split('\n').slice(-6).join('\n');
      reject(new VmUnavailable(`${basename(file)}: ${why}${said && `: ${said}`}`));
    });
  });
}
