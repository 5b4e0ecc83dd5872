import { patience } from './deadline.ts';

/** Waits for something that nobody tells of, by looking again and again. @param pause milliseconds between two looks */
export async function until(condition: () => boolean, pause = 5): Promise<void> {
  const end = performance.now() + patience;
  while (!condition()) {
    if (performance.now() > end) {
      throw new Error(`waited too long for ${condition}`);
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
