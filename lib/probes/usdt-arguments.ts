/** Where an argument of a statically defined probe is. */
export interface UsdtArgument {
  /** In bytes. */
  readonly size: number;
  readonly signed: boolean;
  /** As the assembler has it: '%rdi', '-20(%rbp)', '$7', '[sp, 16]'. */
  readonly place: string;
}

/** Reads the arguments that a note tells: '8@%rdi -4@-20(%rbp)'. What makes no sense is passed over. */
export function usdtArguments(text: string): UsdtArgument[] {
  return [...text.matchAll(/(?:^|\s)(-?)(\d{1,2})f?@(\[[^\]]*\]|\S+)/g)].map(([, sign, size, place = '']) => ({
    size: Number(size),
    signed: sign === '-',
    place,
  }));
}
