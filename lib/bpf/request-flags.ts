import { kernelEnum } from './kernel-enum.ts';

interface Names {
  /** Bits below those of the flags. */
  readonly mask: number;
  readonly operations: ReadonlyMap<number, string>;
  readonly flags: readonly (readonly [bit: number, name: string])[];
}

let names: Names | undefined;

/** What a block I/O request is, by its cmd_flags: 'Read', 'Sync-Write', 'Sync-Fua-Write', in words of the running kernel. */
export function requestFlags(value: number): string {
  names ??= readNames();
  const operation = value & names.mask;
  const rest = names.flags.filter(([bit]) => Math.floor(value / 2 ** bit) % 2 === 1).map(([, name]) => name);
  return [...rest, names.operations.get(operation) ?? String(operation)].join('-');
}

function readNames(): Names {
  const operations = kernelEnum({ tag: ['req_op', 'req_opf'] });
  const bits = [...kernelEnum({ tag: ['req_flag_bits'] })].filter(([, name]) => name !== '__REQ_NR_BITS');
  const first = Math.min(...bits.map(([bit]) => bit), 8);
  const flags: [number, string][] = [];
  // Names that stand for a bit which has one already come later.
  for (const [bit, name] of bits) {
    if (!flags.some(([known]) => known === bit)) {
      flags.push([bit, words(name)]);
    }
  }
  return {
    mask: 2 ** first - 1,
    operations: new Map([...operations].map(([number, name]) => [number, words(name)])),
    flags,
  };
}

/** 'FailfastDev' for '__REQ_FAILFAST_DEV', 'WriteZeroes' for 'REQ_OP_WRITE_ZEROES'. */
function words(name: string): string {
  return name
    .replace(/^(__REQ_|REQ_OP_)/, '')
    .split('_')
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join('');
}
