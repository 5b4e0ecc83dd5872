import type { Width } from './assembler.ts';
import { usdtArguments } from './usdt-arguments.ts';

/** Where the kernel's struct pt_regs has each register, by its kernel's name, and which of them carry arguments. */
interface Machine {
  readonly registers: Readonly<Record<string, number>>;
  readonly size: number;
  /** As functions get their arguments. */
  readonly arguments: readonly string[];
  readonly result: string;
  /** As assemblers call registers, and how many bits of which are meant. */
  parse(name: string): { readonly register: string; readonly bits: number } | undefined;
}

const words = (names: string) => Object.fromEntries(names.split(' ').map((name, i) => [name, i * 8]));

const x86: Machine = {
  registers: words('r15 r14 r13 r12 bp bx r11 r10 r9 r8 ax cx dx si di orig_ax ip cs flags sp ss'),
  size: 168,
  arguments: ['di', 'si', 'dx', 'cx', 'r8', 'r9'],
  result: 'ax',
  parse(name) {
    const [, extended, part = ''] = /^r(8|9|1[0-5])([dwb]?)$/.exec(name) ?? [];
    if (extended !== undefined) {
      return { register: `r${extended}`, bits: { '': 64, d: 32, w: 16, b: 8 }[part] ?? 64 };
    }
    const [, wide, two, byte] =
      /^(?:([re])?(ax|bx|cx|dx|si|di|bp|sp|ip)|(al|bl|cl|dl|sil|dil|bpl|spl))$/.exec(name) ?? [];
    if (byte !== undefined) {
      return { register: byte.length === 2 ? byte.replace('l', 'x') : byte.slice(0, 2), bits: 8 };
    }
    return two === undefined ? undefined : { register: two, bits: wide === 'r' ? 64 : wide === 'e' ? 32 : 16 };
  },
};

const arm64: Machine = {
  registers: words(`${Array.from({ length: 31 }, (_, i) => `x${i}`).join(' ')} sp pc pstate`),
  size: 272,
  arguments: Array.from({ length: 8 }, (_, i) => `x${i}`),
  result: 'x0',
  parse(name) {
    const [, half, number] = /^(?:([xw])([12]?\d|30)|sp)$/.exec(name) ?? [];
    if (name === 'sp') {
      return { register: 'sp', bits: 64 };
    }
    return number === undefined ? undefined : { register: `x${number}`, bits: half === 'w' ? 32 : 64 };
  },
};

/** Registers of the running machine, or of the one named as Node names it. */
export function machine(architecture: string = process.arch): Machine {
  return architecture === 'arm64' ? arm64 : x86;
}

/** An argument of a statically defined probe: in a register, in memory where one points, or a number. */
export type UsdtValue = { readonly size: Width; readonly signed: boolean } & (
  | { readonly in: 'register'; readonly offset: number }
  | {
      readonly in: 'memory';
      readonly base: number;
      readonly index?: number;
      readonly scale: number;
      readonly add: number;
    }
  | { readonly in: 'number'; readonly value: bigint }
);

/**
 * Reads where the arguments are, as compilers write it: '8@%rdi -4@-8(%rbp) 4@$3', on arm64 '8@x0 -4@[sp, 12] 4@3'.
 * One that cannot be read is undefined.
 */
export function parseUsdtArguments(text: string, architecture?: string): (UsdtValue | undefined)[] {
  const own = machine(architecture);
  return usdtArguments(text).map(({ size, signed, place }) => {
    if (size !== 1 && size !== 2 && size !== 4 && size !== 8) {
      return undefined;
    }
    const common = { size, signed } as const;
    const [, number] = /^\$?(-?\d{1,20})$/.exec(place) ?? [];
    if (number !== undefined) {
      return { ...common, in: 'number', value: BigInt(number) };
    }
    const at = (name: string | undefined) => {
      const register = name === undefined ? undefined : own.parse(name)?.register;
      return register === undefined ? undefined : own.registers[register];
    };
    const whole = at(/^%?(\w+)$/.exec(place)?.[1]);
    if (whole !== undefined) {
      return { ...common, in: 'register', offset: whole };
    }
    const [, before, base, index, scale = '1'] =
      /^(-?\d+)?\(%(\w+)(?:,%(\w+)(?:,([1248]))?)?\)$/.exec(place) ?? /^()?\((%\w+)\)$/.exec(place) ?? [];
    const [, armBase, after] = /^\[(\w+)(?:,\s*#?(-?\d+))?\]$/.exec(place) ?? [];
    const [from, offset] = [at(base ?? armBase), at(index)];
    const add = Number(before ?? after ?? 0);
    return from === undefined || (index !== undefined && offset === undefined) || !Number.isSafeInteger(add)
      ? undefined
      : {
          ...common,
          in: 'memory',
          base: from,
          add,
          scale: Number(scale),
          ...(offset !== undefined && { index: offset }),
        };
  });
}
