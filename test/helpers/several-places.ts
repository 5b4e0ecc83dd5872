import assert from 'node:assert/strict';
import { kernelBtf } from '../../lib/bpf/kernel-btf.ts';
import { enumIn } from '../../lib/bpf/kernel-enum.ts';
import { runTool } from './run-tool.ts';

/** Whether the kernel tells programs at which of their places they are (5.15). */
export function hasCookies(): boolean {
  return [...enumIn(kernelBtf(), { tag: ['bpf_func_id'] }).values()].includes('BPF_FUNC_get_attach_cookie');
}

/**
 * Whether the kernel tells several places of programs apart (5.15). Where it does not, a tool that is asked for several
 * says so.
 */
export async function tellsPlacesApart(tool: string, ...args: readonly string[]): Promise<boolean> {
  const able = hasCookies();
  if (!able) {
    const { code, stderr } = await runTool(tool, args);
    assert.equal(code, 3, stderr);
    assert.match(stderr, /: this kernel cannot tell several places apart\nhint: name one function or event, /);
  }
  return able;
}
