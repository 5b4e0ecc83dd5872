/** Long runs in short, so that a comparison that fails can be read: 'x{4095}' for 4095 times 'x'. */
export function squeeze(text: string): string {
  return text.replace(/(.{1,2}?)\1{19,}/g, (run, unit) => `${unit}{${run.length / unit.length}}`);
}
