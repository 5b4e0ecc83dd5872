import type { Span } from './specification-error.ts';

export type Arithmetic = '+' | '-' | '*' | '/' | '%' | '&' | '|' | '^' | '<<' | '>>';
export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type Logic = '&&' | '||';

/** A type as it is written: 'unsigned int', 'struct sock' and how many stars. */
export interface TypeName extends Span {
  readonly words: readonly string[];
  readonly pointers: number;
}

/** An expression in C, as far as it can be evaluated where something is traced. */
export type Expression = Span &
  (
    | { readonly is: 'number'; readonly value: bigint }
    | { readonly is: 'text'; readonly bytes: Uint8Array }
    /** A parameter, arg1, retval, args, ctx, or with a dollar what is known everywhere. */
    | { readonly is: 'name'; readonly name: string }
    | {
        readonly is: 'member';
        readonly of: Expression;
        readonly name: string;
        readonly arrow: boolean;
        readonly at: Span;
      }
    | { readonly is: 'element'; readonly of: Expression; readonly index: Expression }
    | { readonly is: 'unary'; readonly operator: '!' | '-' | '~' | '*' | '&' | '+'; readonly of: Expression }
    | {
        readonly is: 'binary';
        readonly operator: Arithmetic | Comparison | Logic;
        readonly left: Expression;
        readonly right: Expression;
      }
    | { readonly is: 'cast'; readonly type: TypeName; readonly of: Expression }
    | { readonly is: 'call'; readonly name: string; readonly arguments: readonly Expression[] }
    /** A pointer of which is said that it is one of the process. */
    | { readonly is: 'user'; readonly of: Expression }
  );

/** Whether any of the names in an expression is such a one. */
export function hasName(one: Expression, isSuch: (name: string) => boolean): boolean {
  const has = (part: Expression) => hasName(part, isSuch);
  switch (one.is) {
    case 'name':
      return isSuch(one.name);
    case 'binary':
      return has(one.left) || has(one.right);
    case 'element':
      return has(one.of) || has(one.index);
    case 'call':
      return one.arguments.some(has);
    default:
      return 'of' in one && has(one.of);
  }
}

/** A parameter of a signature: its name, and its type where one is given. */
export interface Parameter extends Span {
  readonly name: string;
  readonly type?: TypeName;
}
