import { escapeText } from '../model/escape.ts';
import type { Btf } from './btf.ts';
import type { BtfPrototype } from './btf-kinds.ts';

/** Nobody declares what nests deeper. */
const DEEPEST = 32;

/**
 * How C declares something of a type: 'const struct path *path', 'int (*done)(void *)', 'char name[16]'.
 * @param name may be empty, as in a cast
 * @throws KscopeError failed for damaged BTF
 */
export function declaration(btf: Btf, id: number, name: string, depth = 0): string {
  if (depth > DEEPEST) {
    return `… ${name}`.trimEnd();
  }
  const further = (type: number, inner: string) => declaration(btf, type, inner, depth + 1);
  const type = btf.type(id);
  const own = escapeText(type.name);
  switch (type.kind) {
    case 'ptr': {
      const target = btf.type(type.type).kind;
      return further(type.type, target === 'array' || target === 'func_proto' ? `(*${name})` : `*${name}`);
    }
    case 'array':
      return further(type.element, `${name}[${type.count}]`);
    case 'func_proto':
      return further(type.returns, `${name}(${parameters(btf, type, depth)})`);
    case 'const':
    case 'volatile':
    case 'restrict':
      // Behind a star it is the pointer that has the quality.
      return btf.type(type.type).kind === 'ptr'
        ? further(type.type, `${type.kind} ${name}`.trimEnd())
        : `${type.kind} ${further(type.type, name)}`;
    case 'type_tag':
      return further(type.type, name);
    case 'struct':
    case 'union':
      return joined(`${type.kind} ${own || '{…}'}`, name);
    case 'fwd':
      return joined(`${type.of} ${own}`, name);
    case 'enum':
    case 'enum64':
      return joined(`enum ${own || '{…}'}`, name);
    default:
      return joined(type.kind === 'void' ? 'void' : own, name);
  }
}

function parameters(btf: Btf, { parameters: all }: BtfPrototype, depth: number): string {
  const written = all.map(({ name, type }) =>
    name === '' && type === 0 ? '...' : declaration(btf, type, escapeText(name), depth + 1),
  );
  return written.length === 0 ? 'void' : written.join(', ');
}

/** How C declares a function; undefined when there is none of that name. @throws KscopeError failed for damaged BTF */
export function functionDeclaration(btf: Btf, name: string): string | undefined {
  const found = btf.findByName(name, 'func');
  return found === undefined ? undefined : declaration(btf, found.type, escapeText(name));
}

/** A star belongs to the name. */
function joined(type: string, name: string): string {
  return name === '' ? type : `${type} ${name}`;
}
