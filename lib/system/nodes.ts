import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The number of the NUMA node that each processor belongs to, for so many processors; 0 where that is not known. */
export function nodesOfCpus(count: number, root = '/'): number[] {
  const nodes = Array.from({ length: count }, () => 0);
  const folder = join(root, 'sys/devices/system/node');
  for (const name of entries(folder)) {
    const [, node] = /^node(\d+)$/.exec(name) ?? [];
    if (node === undefined) {
      continue;
    }
    for (const range of readFileSync(join(folder, name, 'cpulist'), 'utf8')
      .trim()
      .split(',')) {
      const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
      if (first !== undefined) {
        nodes.fill(Number(node), Number(first), Number(last) + 1);
      }
    }
  }
  return nodes;
}

function entries(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Kernels without NUMA have no such folder.
    return [];
  }
}
