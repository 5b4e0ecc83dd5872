import { Btf } from '../../lib/bpf/btf.ts';
import { compileDecoder, memoryOf } from '../../lib/bpf/decoder.ts';
import { structSchema } from '../../lib/bpf/schema.ts';
import { BtfBuilder } from '../helpers/btf-builder.ts';

const recordSize = 304;
const records = 4096;

function eventSchema(lastType: string) {
  const b = new BtfBuilder();
  const u64 = b.int('unsigned long long', 8);
  const s32 = b.int('int', 4, { signed: true });
  const u32 = b.int('unsigned int', 4);
  const char = b.int('char', 1, { signed: true });
  const text = (name: string, count: number): number => b.array(b.typedef(name, char), count);
  const event = b.struct('event', recordSize, [
    { name: 'time', type: b.typedef('boot_ns_t', u64), bitOffset: 0 },
    { name: 'pid', type: b.typedef('pid_t', s32), bitOffset: 64 },
    { name: 'uid', type: b.typedef('uid_t', u32), bitOffset: 96 },
    { name: 'fd', type: b.typedef('fd_t', s32), bitOffset: 128 },
    { name: 'error', type: b.typedef('errno_t', s32), bitOffset: 160 },
    { name: 'comm', type: text('comm_t', 16), bitOffset: 192 },
    { name: 'path', type: text(lastType, 264), bitOffset: 320 },
  ]);
  return structSchema(Btf.parse(b.build()), event);
}

export interface DecoderCost {
  /** What the text at the end of the records is. */
  readonly text: string;
  /** Nanoseconds for each record. */
  readonly each: number;
}

/** `last` makes the text of record i; the length of the texts is what decoding costs. */
function measure(text: string, rounds: number, last: (i: number) => string, type = 'path_t'): DecoderCost {
  const bytes = Buffer.alloc(recordSize * records);
  const lengths = new Int32Array(records);
  for (let i = 0; i < records; i++) {
    const at = i * recordSize;
    bytes.writeBigUInt64LE(1_000_000_000n + BigInt(i) * 1999n, at);
    bytes.writeInt32LE(1000 + (i % 50), at + 8);
    bytes.writeUInt32LE(1000, at + 12);
    bytes.writeInt32LE(i % 4 === 0 ? -1 : 3, at + 16);
    bytes.writeInt32LE(i % 4 === 0 ? 2 : 0, at + 20);
    bytes.write(`worker-${i % 20}`, at + 24, 15, 'latin1');
    lengths[i] = 40 + bytes.write(`${last(i)}\0`, at + 40, 263, 'utf8');
  }
  const memory = memoryOf(bytes);
  const decode = compileDecoder(eventSchema(type), { bootToEpochMicros: 1.7e15 });
  let best = Number.POSITIVE_INFINITY;
  let kept: unknown;
  for (let round = 0; round < rounds; round++) {
    const started = process.hrtime.bigint();
    for (let pass = 0; pass < 100; pass++) {
      for (let i = 0; i < records; i++) {
        kept = decode(memory, i * recordSize, lengths[i] as number);
      }
    }
    best = Math.min(best, Number(process.hrtime.bigint() - started) / (100 * records));
  }
  if (kept === undefined) {
    throw new Error('nothing was decoded');
  }
  return { text, each: best };
}

/** What decoding records of 7 fields in some 300 bytes costs: the best of so many rounds. */
export function decoderCosts(rounds: number): DecoderCost[] {
  const long = '/usr/lib/x86_64-linux-gnu/some/directory/with/names/that/are/long';
  return [
    measure('23 bytes, all different', rounds, (i) => `/var/lib/app/file-${10000 + i}`),
    measure('the same 16 bytes', rounds, () => '/etc/ld.so.cache'),
    measure('71 bytes, all different', rounds, (i) => `${long}-${10000 + i}`),
    measure('with UTF-8', rounds, (i) => `/home/jürgen/bücher-${10000 + i}`),
    measure('path in 5 pieces', rounds, (i) => `file-${10000 + i}\0app\0lib\0var\0`, 'dentry_path_t'),
    measure('5 arguments', rounds, (i) => `cc\0-O2\0-c\0file-${10000 + i}.c\0-o`, 'args_t'),
  ];
}
