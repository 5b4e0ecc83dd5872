import type { Btf } from '../bpf/btf.ts';
import { functionDeclaration } from '../bpf/btf-declaration.ts';
import type { BtfType } from '../bpf/btf-kinds.ts';
import { memberNamed } from '../bpf/member-offset.ts';
import { type CType, nothing, type StructureType, type TypeKind } from './c-types.ts';

/** Deeper no anonymous structure lies in another. */
const DEEPEST = 16;

/** Where types come from: values of them can be read from bytes. */
const origins = new WeakMap<CType, { readonly btf: Btf; readonly id: number }>();

/** The BTF that has a type, and its number there; undefined for a type of no BTF. */
export function originOf(type: CType): { readonly btf: Btf; readonly id: number } | undefined {
  return origins.get(type);
}

/** The types of a kernel as values are evaluated with them. */
export class BtfTypes {
  readonly #btf: Btf;
  readonly #known = new Map<number, CType>();

  constructor(btf: Btf) {
    this.#btf = btf;
  }

  /** The type with a number. @throws KscopeError failed for damaged BTF */
  type(id: number): CType {
    let type = this.#known.get(id);
    if (type === undefined) {
      type = this.#make(this.#btf.resolve(id), this.#btf.spelling(id));
      this.#known.set(id, type);
      if (type !== nothing && !origins.has(type)) {
        origins.set(type, { btf: this.#btf, id });
      }
    }
    return type;
  }

  find(kind: 'struct' | 'union' | 'enum' | 'typedef', name: string): CType | undefined {
    const found =
      this.#btf.findByName(name, kind) ?? (kind === 'enum' ? this.#btf.findByName(name, 'enum64') : undefined);
    return found === undefined ? undefined : this.type(found.id);
  }

  /** Parameters and result of a function; undefined when there is no such function. */
  signature(name: string): { parameters: { name: string; type: CType }[]; returns: CType } | undefined {
    const found = this.#btf.findByName(name, 'func');
    return found === undefined ? undefined : this.#signature(found.type);
  }

  /** Those of all functions of that name. */
  signatures(name: string) {
    return [...this.#btf.idsOfKind('func')]
      .filter((id) => this.#btf.name(id) === name)
      .flatMap((id) => {
        const found = this.#btf.type(id);
        return found.kind === 'func' ? (this.#signature(found.type) ?? []) : [];
      });
  }

  #signature(id: number) {
    const prototype = this.#btf.type(id);
    if (prototype.kind !== 'func_proto') {
      return undefined;
    }
    return {
      parameters: prototype.parameters
        .filter(({ type }) => type !== 0)
        .map((parameter) => ({ name: parameter.name, type: this.type(parameter.type) })),
      returns: this.type(prototype.returns),
    };
  }

  /** How C declares a function; undefined when there is no such function. */
  declaration(name: string): string | undefined {
    return functionDeclaration(this.#btf, name);
  }

  /** Names of all functions, or of all types of a kind. */
  *names(kind: 'func' | TypeKind): Generator<string> {
    for (const id of this.#btf.idsOfKind(kind)) {
      yield this.#btf.name(id);
    }
  }

  #make(type: BtfType, alias: string): CType {
    const name = alias || type.name;
    switch (type.kind) {
      case 'int':
        return type.size === 1 || type.size === 2 || type.size === 4 || type.size === 8
          ? {
              is: 'number',
              name,
              size: type.size,
              signed: type.signed,
              // The kernel's char has no sign since 6.2, and no encoding in BTF says what is a letter.
              ...(type.size === 1 && /char/.test(type.name) && alias === type.name && { letter: true }),
            }
          : { is: 'opaque', name };
      case 'enum':
      case 'enum64':
        return type.size === 1 || type.size === 2 || type.size === 4 || type.size === 8
          ? {
              is: 'number',
              name: `enum ${type.name}`,
              size: type.size,
              signed: type.signed,
              names: () => new Map(type.values.map((one): [bigint, string] => [BigInt(one.value), one.name])),
            }
          : { is: 'opaque', name };
      case 'ptr':
        return { is: 'pointer', target: () => this.type(type.type) };
      case 'array':
        return { is: 'array', element: () => this.type(type.element), count: type.count };
      case 'struct':
      case 'union':
        return this.#structure(type.id, `${type.kind} ${type.name || '{…}'}`, type.size);
      case 'fwd':
        return this.#declared(type.of, type.name);
      default:
        return type.kind === 'void' ? nothing : { is: 'opaque', name: name || 'function' };
    }
  }

  /** A module may only declare what the kernel has. */
  #declared(kind: 'struct' | 'union', name: string): CType {
    const found = this.#btf.findByName(name, kind);
    return found === undefined ? { is: 'opaque', name: `${kind} ${name}` } : this.type(found.id);
  }

  #structure(id: number, name: string, size: number): StructureType {
    return {
      is: 'structure',
      name,
      size,
      member: (wanted) => {
        const found = memberNamed(this.#btf, id, wanted);
        return (
          found && {
            type: this.type(found.member.type),
            bitOffset: found.bitOffset,
            bits: found.member.bits,
          }
        );
      },
      names: () => this.#names(id, 0),
    };
  }

  *#names(id: number, depth: number): Generator<string> {
    for (const member of this.#btf.members(id)) {
      if (member.name !== '') {
        yield member.name;
      } else if (depth < DEEPEST && this.#isComposite(member.type)) {
        yield* this.#names(member.type, depth + 1);
      }
    }
  }

  #isComposite(id: number): boolean {
    return /^(struct|union)$/.test(this.#btf.resolve(id).kind);
  }
}
