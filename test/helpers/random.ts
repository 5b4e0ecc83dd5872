/** A repeatable source of whole numbers below `limit`: the same seed gives the same sequence. */
export function randomNumbers(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

/** `bytes` with a few of its bits, bytes or words changed, or cut short. */
export function damage(bytes: Uint8Array, random: (limit: number) => number): Buffer {
  const copy = Buffer.from(bytes);
  const words = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff, bytes.length, bytes.length - 1];
  for (let changes = 1 + random(4); changes > 0; changes--) {
    const at = random(copy.length);
    switch (random(4)) {
      case 0:
        copy[at] = (copy[at] as number) ^ (1 << random(8));
        break;
      case 1:
        copy[at] = random(256);
        break;
      case 2:
        if (copy.length >= 4) {
          copy.writeUInt32LE((words[random(words.length)] as number) >>> 0, Math.min(at & ~3, copy.length - 4));
        }
        break;
      default:
        if (copy.length >= 4) {
          copy.writeUInt32LE(random(200), Math.min(at & ~3, copy.length - 4));
        }
    }
  }
  return random(8) === 0 ? copy.subarray(0, random(copy.length)) : copy;
}
