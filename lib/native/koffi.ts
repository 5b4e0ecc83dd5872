import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { default as Koffi } from 'koffi';

const require = createRequire(import.meta.url);

let loaded: typeof Koffi | undefined;

/**
 * The package, loaded when a native function is first needed. It finds its native part by asking Node, which takes six
 * times as long as loading that; so the part is looked for where npm puts it, and the package asked when it is not there.
 */
export function koffi(): typeof Koffi {
  loaded ??= nativePart() ?? (require('koffi') as typeof Koffi);
  return loaded;
}

/** Whether anything native was called. */
export function isLoaded(): boolean {
  return loaded !== undefined;
}

function nativePart(): typeof Koffi | undefined {
  const name = `node_modules/@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`;
  let folder = fileURLToPath(new URL('.', import.meta.url));
  while (folder !== '/') {
    folder = dirname(folder);
    const file = join(folder, name);
    if (existsSync(file)) {
      const module = { exports: {} };
      try {
        process.dlopen(module, file);
        return module.exports as typeof Koffi;
      } catch {
        return undefined; // Built for another C library, for one: the package has more than one.
      }
    }
  }
  return undefined;
}
