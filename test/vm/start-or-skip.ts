import type { TestContext } from 'node:test';
import { Guest, type GuestOptions } from './guest.ts';
import { VmUnavailable } from './unavailable.ts';

/** Whether a skipped guest is a failure: CI must not lose the matrix without anybody seeing it. */
export const onCi = !['', '0', 'false'].includes(process.env.CI ?? '');

/**
 * Starts a guest for a test. Where guests are impossible the test is skipped with the reason that the probe gave, and
 * undefined returned; in CI that is a failure.
 */
export async function startOrSkip(t: TestContext, options: GuestOptions): Promise<Guest | undefined> {
  try {
    return await Guest.start(options);
  } catch (error) {
    if (!(error instanceof VmUnavailable) || onCi) throw error;
    t.skip(error.message);
    return undefined;
  }
}
