import { KscopeError } from '../model/errors.ts';
import { escapeText } from '../model/escape.ts';
import { nameOf } from './c-types.ts';
import type { SharedName } from './kernel-functions.ts';
import type { Signature } from './scopes.ts';

/** For people: '3 functions called m_stop', or how many of them. */
export function sharedName(name: string, { addresses, count }: SharedName): string {
  const some = addresses.length === count ? '' : `${addresses.length} of `;
  return `${some}${count} functions called ${escapeText(name)}`;
}

/**
 * Has `attach` attach to all functions that share a name.
 * @throws KscopeError unsupported when one cannot be hooked, of which the kernel did not tell before
 */
export function attachToAll(name: string, { count }: SharedName, attach: () => unknown): void {
  try {
    attach();
  } catch (cause) {
    if (cause instanceof KscopeError && cause.code !== 'permission') {
      const what = `${count} functions are called '${escapeText(name)}', and not all of them can be hooked`;
      throw new KscopeError('unsupported', what, { hint: 'Linux 6.5 and newer tells which can be', cause });
    }
    throw cause;
  }
}

/** The signature of functions that share a name, when all have the same types: what parameters are called may differ. */
export function commonSignature<S extends Signature>(all: readonly S[]): S | undefined {
  const types = all.map(({ parameters, returns }) =>
    [...parameters.map(({ type }) => type), ...(returns ? [returns] : [])].map(nameOf).join(),
  );
  return new Set(types).size === 1 ? all[0] : undefined;
}
