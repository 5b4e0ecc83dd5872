import { foldedFrames } from '../model/frames.ts';
import type { StacksMessage } from '../model/message.ts';

/** A profile for speedscope: its file format's sampled form, one sample for each stack. */
export function renderSpeedscope({ stacks, unit, tip }: StacksMessage, name: string): string {
  const index = new Map<string, number>();
  const samples = stacks.map((one) =>
    foldedFrames(one, tip).map((frame) => {
      const at = index.get(frame) ?? index.size;
      index.set(frame, at);
      return at;
    }),
  );
  const weights = stacks.map(({ weight }) => weight);
  return JSON.stringify({
    $schema: 'https://www.speedscope.app/file-format-schema.json',
    name,
    shared: { frames: [...index.keys()].map((frame) => ({ name: frame })) },
    profiles: [
      {
        type: 'sampled',
        name,
        unit: unit === 'usecs' ? 'microseconds' : 'none',
        startValue: 0,
        endValue: weights.reduce((sum, weight) => sum + weight, 0),
        samples,
        weights,
      },
    ],
  });
}
