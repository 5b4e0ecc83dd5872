import { kernelEnum } from './kernel-enum.ts';

/** 'lru_hash' for that number of enum bpf_map_type without 'BPF_MAP_TYPE_'; the number itself when it has no name. */
export function bpfName(tag: string, prefix: string, number: number): string {
  const name = kernelEnum({ tag: [tag] }).get(number);
  return name?.replace(prefix, '').toLowerCase() ?? String(number);
}
