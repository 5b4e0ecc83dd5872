/** A member of a structure: offset and width in bits; a width of 0 means that it is no bit field. */
export interface MemberSpec {
  readonly name: string;
  readonly type: number;
  readonly bitOffset: number;
  readonly bits?: number;
}

/** Writes BTF, type by type; each method returns the id of the type that it added. */
export class BtfBuilder {
  readonly #types: number[] = [];
  readonly #strings: number[] = [];
  readonly #stringsStart: number;
  #nextId: number;

  /** For split BTF: the base's `endId` and the length of its strings. */
  constructor(firstId = 1, stringsStart = 0) {
    this.#nextId = firstId;
    this.#stringsStart = stringsStart;
    if (stringsStart === 0) {
      this.#strings.push(0);
    }
  }

  get stringsLength(): number {
    return this.#strings.length;
  }

  string(text: string): number {
    if (text === '') {
      return 0;
    }
    const at = this.#stringsStart + this.#strings.length;
    this.#strings.push(...Buffer.from(text, 'utf8'), 0);
    return at;
  }

  /** A type as its raw words: for kinds and values that no compiler writes. */
  raw(
    kind: number,
    name: number | string,
    vlen: number,
    flag: boolean,
    sizeOrType: number,
    rest: readonly number[] = [],
  ): number {
    const offset = typeof name === 'string' ? this.string(name) : name;
    this.#types.push(offset, ((flag ? 1 : 0) * 2 ** 31 + kind * 2 ** 24 + vlen) >>> 0, sizeOrType, ...rest);
    return this.#nextId++;
  }

  int(
    name: string,
    size: number,
    { signed = false, char = false, bool = false, bits = size * 8, bitOffset = 0 } = {},
  ): number {
    const encoding = (signed ? 1 : 0) | (char ? 2 : 0) | (bool ? 4 : 0);
    return this.raw(1, name, 0, false, size, [(encoding << 24) | (bitOffset << 16) | bits]);
  }

  pointer(type: number): number {
    return this.raw(2, '', 0, false, type);
  }

  array(element: number, count: number, index = 0): number {
    return this.raw(3, '', 0, false, 0, [element, index, count]);
  }

  struct(name: string, size: number, members: readonly MemberSpec[]): number {
    return this.#composite(4, name, size, members);
  }

  union(name: string, size: number, members: readonly MemberSpec[]): number {
    return this.#composite(5, name, size, members);
  }

  #composite(kind: number, name: string, size: number, members: readonly MemberSpec[]): number {
    const flag = members.some(({ bits }) => bits !== undefined);
    const words = members.flatMap((member) => [
      this.string(member.name),
      member.type,
      ((member.bits ?? 0) * 2 ** 24 + member.bitOffset) >>> 0,
    ]);
    return this.raw(kind, name, members.length, flag, size, words);
  }

  enum(name: string, values: Readonly<Record<string, number>>, { size = 4, signed = false } = {}): number {
    const words = Object.entries(values).flatMap(([label, value]) => [this.string(label), value >>> 0]);
    return this.raw(6, name, words.length / 2, signed, size, words);
  }

  enum64(name: string, values: Readonly<Record<string, bigint>>, signed = false): number {
    const words = Object.entries(values).flatMap(([label, value]) => [
      this.string(label),
      Number(BigInt.asUintN(32, value)),
      Number(BigInt.asUintN(64, value) >> 32n),
    ]);
    return this.raw(19, name, words.length / 3, signed, 8, words);
  }

  forward(name: string, of: 'struct' | 'union'): number {
    return this.raw(7, name, 0, of === 'union', 0);
  }

  typedef(name: string, type: number): number {
    return this.raw(8, name, 0, false, type);
  }

  volatile(type: number): number {
    return this.raw(9, '', 0, false, type);
  }

  const(type: number): number {
    return this.raw(10, '', 0, false, type);
  }

  restrict(type: number): number {
    return this.raw(11, '', 0, false, type);
  }

  function(name: string, prototype: number, linkage = 1): number {
    return this.raw(12, name, linkage, false, prototype);
  }

  prototype(returns: number, parameters: readonly { readonly name: string; readonly type: number }[]): number {
    const words = parameters.flatMap(({ name, type }) => [this.string(name), type]);
    return this.raw(13, '', parameters.length, false, returns, words);
  }

  variable(name: string, type: number, linkage = 1): number {
    return this.raw(14, name, 0, false, type, [linkage]);
  }

  dataSection(
    name: string,
    size: number,
    variables: readonly (readonly [type: number, offset: number, size: number])[],
  ): number {
    return this.raw(15, name, variables.length, false, size, variables.flat());
  }

  float(name: string, size: number): number {
    return this.raw(16, name, 0, false, size);
  }

  declTag(name: string, type: number, component = -1): number {
    return this.raw(17, name, 0, false, type, [component >>> 0]);
  }

  typeTag(name: string, type: number): number {
    return this.raw(18, name, 0, false, type);
  }

  /** The whole as bytes. `layout` adds a table of [fixed size, element size] by kind, as newer kernels do. */
  build(layout?: readonly (readonly [fixed: number, element: number])[]): Buffer {
    const types = Buffer.alloc(this.#types.length * 4);
    for (const [i, word] of this.#types.entries()) {
      types.writeUInt32LE(word >>> 0, i * 4);
    }
    const layouts = Buffer.from((layout ?? []).flatMap(([fixed, element]) => [fixed, element, 0, 0]));
    const strings = Buffer.from(this.#strings);
    const header = Buffer.alloc(layout === undefined ? 24 : 32);
    header.writeUInt16LE(0xeb9f, 0);
    header.writeUInt8(1, 2);
    header.writeUInt32LE(header.length, 4);
    header.writeUInt32LE(0, 8);
    header.writeUInt32LE(types.length, 12);
    header.writeUInt32LE(types.length + layouts.length, 16);
    header.writeUInt32LE(strings.length, 20);
    if (layout !== undefined) {
      header.writeUInt32LE(types.length, 24);
      header.writeUInt32LE(layouts.length, 28);
    }
    return Buffer.concat([header, types, layouts, strings]);
  }
}
