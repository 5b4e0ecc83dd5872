import { kernelEnum } from './kernel-enum.ts';

/** 'net_rx' for the number of that vector in the running kernel; the number itself when it has no name. */
export function softirqName(vector: number): string {
  const name = kernelEnum({ member: 'HI_SOFTIRQ' }).get(vector);
  return name?.replace(/_SOFTIRQ$/, '').toLowerCase() ?? String(vector);
}
