import assert from 'node:assert/strict';
import { type JsonMessage, startCommand, startTool } from './run-tool.ts';

/** What was seen of sleeps, and the microseconds that all of them took at most. */
interface Woken {
  readonly elapsed: number;
  readonly messages: readonly JsonMessage[];
  readonly stdout: string;
}

/** Runs a tool while "the-waker" of `stacksProgram` wakes "the-sleeper" ten times, each after 100 ms. */
export async function wakeTenTimes(name: string, program: string, args: readonly string[]): Promise<Woken> {
  await using tool = startTool(name, args);
  await tool.ready();
  const from = performance.now();
  await using running = startCommand([program, 'wake', '100', '10']);
  assert.equal((await running.ended()).code, 0);
  const elapsed = (performance.now() - from) * 1000;
  const { code, messages, stdout, stderr } = await tool.end();
  assert.equal(code, 0, stderr);
  return { elapsed, messages, stdout };
}
