import { type Demangler, openDemangler } from '../../native/demangle.ts';
import { demangleRust } from './rust-names.ts';

let demangler: Demangler | undefined;

/**
 * The name that people wrote, for names of C++ and Rust; any other name as it is. C++ names, and Rust names in the older
 * scheme, which are made like them, are the work of the C++ runtime library, where there is one.
 */
export function demangle(name: string): string {
  if (name.startsWith('_R')) {
    return demangleRust(name) ?? name;
  }
  if (!name.startsWith('_Z')) {
    return name;
  }
  demangler ??= openDemangler();
  const plain = demangler(name) ?? name;
  return legacyRust(plain) ?? plain;
}

const letters: Readonly<Record<string, string>> = {
  SP: '@',
  BP: '*',
  RF: '&',
  LT: '<',
  GT: '>',
  LP: '(',
  RP: ')',
  C: ',',
};

/** Rust ends names of the older scheme in a hash that tells instances apart, and spells out what C++ has no letters for. */
function legacyRust(plain: string): string | undefined {
  const [, name] = /^(.*)::h[0-9a-f]{16}$/s.exec(plain) ?? [];
  return name
    ?.replace(/(^|::)_\$/g, '$1$')
    .replace(/\$(SP|BP|RF|LT|GT|LP|RP|C)\$/g, (_, letter: string) => letters[letter] ?? '')
    .replace(/\$u([0-9a-f]{2,4})\$/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
    .replace(/\.\./g, '::');
}
