import { kernelEnum } from './kernel-enum.ts';

let names: ReadonlyMap<number, string> | undefined;

/**
 * Why the kernel dropped a packet, in words of the running kernel: 'NO_SOCKET'. The numbers are others in each kernel;
 * subsystems have enumerations of their own, some of them in modules.
 * @returns the number where it has no name, undefined for 0, which kernels without reasons give
 */
export function dropReason(reason: number): string | undefined {
  names ??= new Map(
    [{ tag: ['skb_drop_reason'] }, { tag: ['qdisc_drop_reason'] }].flatMap((name) => [...kernelEnum(name)]),
  );
  return reason === 0 ? undefined : (names.get(reason)?.replace(/^SKB_DROP_REASON_/, '') ?? String(reason));
}
