import { readFileSync } from 'node:fs';
import { pageBytes } from '../native/libc.ts';

/** What one of a counter stands for: memory, or something that has happened. */
export type VmUnit = 'page' | 'huge page' | 'kilobyte' | 'event';

/** The counters of the memory management, by their names, in the kernel's order. */
export function vmCounters(file = '/proc/vmstat'): ReadonlyMap<string, number> {
  const lines = readFileSync(file, 'utf8').matchAll(/^(\w+) (\d+)$/gm);
  return new Map([...lines].map(([, name = '', value]) => [name, Number(value)]));
}

const kilobytes = /^(pgpg(in|out)|nr_(kernel|shadow_call)_stack)$/;
// The kernel divides these by the size of a huge page where it prints them (vmstat_item_print_in_thp).
const hugePages = /^nr_(anon_transparent_hugepages|(shmem|file)_(hugepages|pmdmapped))$/;
const events = /^pgscan_direct_throttle$/;
const pages =
  /^(nr_.+|pswp(in|out)|pg(alloc|skip|steal|scan|demote|promote|migrate)_.+|pg(free|activate|deactivate|lazyfreed?|refill|rotated|inodesteal)|workingset_(refault|activate|restore)_.+|unevictable_pgs_.+|numa_pages_migrated|swap_ra(_hit)?|swp(in|out)_zero|zswp(in|out|wb))$/;

/** What a counter counts, by its name. */
export function vmUnit(name: string): VmUnit {
  if (kilobytes.test(name)) {
    return 'kilobyte';
  }
  if (hugePages.test(name)) {
    return 'huge page';
  }
  return pages.test(name) && !events.test(name) ? 'page' : 'event';
}

/** Bytes of one; undefined for events. */
export function vmUnitBytes(unit: VmUnit): number | undefined {
  switch (unit) {
    case 'page':
      return pageBytes();
    case 'huge page':
      return hugePageBytes();
    case 'kilobyte':
      return 1024;
    case 'event':
      return undefined;
  }
}

/** Undefined where the kernel has no transparent huge pages. */
function hugePageBytes(): number | undefined {
  try {
    return Number(readFileSync('/sys/kernel/mm/transparent_hugepage/hpage_pmd_size', 'utf8'));
  } catch {
    return undefined;
  }
}
