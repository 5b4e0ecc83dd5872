import { type Demangler, openDemangler } from '../../native/demangle.ts';

let demangler: Demangler | undefined;

/**
 * The name that people wrote, for C++ names and for Rust names in the older scheme; any other name as it is. The work
 * is done by the C++ runtime library, where there is one.
 */
export function demangle(name: string): string {
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
