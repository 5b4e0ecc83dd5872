import { koffi } from './koffi.ts';
import type { Pointer } from './library.ts';

/** The plain form of a mangled C++ name; undefined for what is no such name. */
export type Demangler = (name: string) => string | undefined;

/** The function of the C++ runtime library, which Node itself needs; one that knows no name where it is not there. */
export function openDemangler(): Demangler {
  try {
    const library = koffi().load('libstdc++.so.6');
    const demangle = library.func(
      'void *__cxa_demangle(const char *name, void *buffer, void *length, void *status)',
    ) as (name: string, buffer: null, length: null, status: null) => Pointer;
    const free = koffi().load(null).func('void free(void *memory)') as (memory: Pointer) => void;
    return (name) => {
      const text = demangle(name, null, null, null);
      if (text === null) {
        return undefined;
      }
      const plain = koffi().decode.string(text);
      free(text);
      return plain;
    };
  } catch {
    return () => undefined;
  }
}
