// node load-damaged-main.js WHAT FILE FROM COUNT: loads what is damaged, with seeds from FROM on, and says how that went.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BpfObject, KscopeError } from '../../lib/index.ts';
import { damage, randomNumbers } from './random.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

const [what = '', file = '', from = '', count = ''] = process.argv.slice(2);
const whole = readFileSync(file);
using folder = new TemporaryDirectory();
const btf = join(folder.path, 'btf');
const tally = { loaded: 0, refused: 0 };

for (let seed = Number(from); seed < Number(from) + Number(count); seed++) {
  // Whoever reads it knows the seed when this is the last line.
  process.stdout.write(`${seed}\n`);
  try {
    load(randomNumbers(seed));
    tally.loaded++;
  } catch (error) {
    if (!(error instanceof KscopeError)) {
      throw error;
    }
    tally.refused++;
  }
}
process.stdout.write(`${JSON.stringify(tally)}\n`);

function load(random: (limit: number) => number): void {
  if (what === 'object') {
    using object = BpfObject.openBytes(damage(whole, random), { name: 'damaged' });
    object.load();
    return;
  }
  writeFileSync(btf, bitsFlipped(readFileSync('/sys/kernel/btf/vmlinux'), random));
  using object = BpfObject.openBytes(whole, { name: 'whole', btf });
  object.load();
}

/** So few that much is left to be believed, or cut. */
function bitsFlipped(bytes: Buffer, random: (limit: number) => number): Buffer {
  for (let changes = 1 + random(8); changes > 0; changes--) {
    const at = random(bytes.length);
    bytes[at] = (bytes[at] as number) ^ (1 << random(8));
  }
  return random(8) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
}
