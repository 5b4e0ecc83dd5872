/** Whether the kernel under test is that of a virtual machine, which is emulated here. */
export const inVirtualMachine = process.env.KSCOPE_IN_VM !== undefined;

/** How much slower everything is there. */
const slowness = inVirtualMachine ? 10 : 1;

/** Milliseconds that a test may wait for one thing to happen. */
export const patience = 30_000 * slowness;

/** The same for things that are known to be quick. */
export function withinSeconds(seconds: number): number {
  return seconds * 1000 * slowness;
}

/** Waits for `promise`, and fails after `limit` milliseconds with the text that `describe` gives then. */
export async function deadline<T>(promise: Promise<T>, describe: () => string, limit = patience): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end after ${limit / 1000} s: ${describe()}`)), limit);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
