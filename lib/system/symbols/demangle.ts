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
  // Rust ends its names in a hash of 16 digits that tells instances apart.
  return plain
    .replace(/::h[0-9a-f]{16}$/, '')
    .replace(/\$LT\$/g, '<')
    .replace(/\$GT\$/g, '>')
    .replace(/\$u20\$/g, ' ');
}
