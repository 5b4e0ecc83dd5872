import { escapeText } from '../model/escape.ts';
import type { Btf } from './btf.ts';
import { kernelBtf } from './kernel-btf.ts';

/** How an enumeration of the kernel is known: by its tag, under any of the names that it has had, or by a member. */
export type EnumName = { readonly tag: readonly string[] } | { readonly member: string };

/**
 * The names that the running kernel gives to numbers; numbers are not the same in all kernels. Empty when the kernel
 * has no such enumeration.
 * @throws KscopeError unsupported for a kernel without BTF
 */
export function kernelEnum(name: EnumName): ReadonlyMap<number, string> {
  return enumIn(kernelBtf(), name);
}

/** The same in any BTF. */
export function enumIn(btf: Btf, name: EnumName): ReadonlyMap<number, string> {
  const found =
    'tag' in name
      ? name.tag.map((tag) => btf.findByName(tag, 'enum')).find((type) => type !== undefined)
      : withMember(btf, name.member);
  return new Map(found?.values.map((value) => [Number(value.value), escapeText(value.name)]));
}

function withMember(btf: Btf, member: string) {
  for (const id of btf.idsOfKind('enum')) {
    const type = btf.type(id);
    if (type.kind === 'enum' && type.values.some(({ name }) => name === member)) {
      return type;
    }
  }
  return undefined;
}
