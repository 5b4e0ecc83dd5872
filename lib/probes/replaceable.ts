import { readFileSync } from 'node:fs';
import type { Btf } from '../bpf/btf.ts';
import { kernelBtf } from '../bpf/kernel-btf.ts';
import { KscopeError } from '../model/errors.ts';
import { escapeText } from '../model/escape.ts';
import { sharingFunctions } from './kernel-functions.ts';
import { sharedName } from './shared-name.ts';

/** The functions that may fail on demand, of kernels that are built for that (CONFIG_FUNCTION_ERROR_INJECTION). */
const LIST = '/sys/kernel/debug/error_injection/list';

/**
 * What a program may have a function of the kernel return in the place of its own result (fmod_ret): an error, or
 * `true` from one that is asked whether to fail. Programs are let do that to what asks the security modules, and to
 * what is listed.
 * @throws KscopeError usage, unsupported
 */
export function replaceableResult(name: string, btf: Btf = kernelBtf(), list = LIST): 'error' | 'true' {
  const shown = escapeText(name);
  const one = btf.findByName(name, 'func');
  const kind = listed(list).get(name);
  if (one === undefined) {
    throw kind === undefined && !name.startsWith('security_')
      ? refused(shown)
      : new KscopeError('unsupported', `this kernel does not tell what ${shown} takes and returns, or lacks it`);
  }
  const prototype = btf.resolve(one.type);
  const result = prototype?.kind === 'func_proto' ? btf.resolve(prototype.returns) : undefined;
  if (result?.kind === 'void') {
    throw new KscopeError('usage', `${shown} returns nothing, so it cannot fail`);
  }
  if (kind === undefined && !name.startsWith('security_')) {
    throw refused(shown);
  }
  // NULL would be a 0, and with that the function is called.
  if (kind === 'NULL' || (kind === undefined && result?.name !== 'int')) {
    throw new KscopeError('usage', `${shown} returns no error, so a program cannot have it fail`);
  }
  const shared = sharingFunctions(name);
  if (shared !== undefined) {
    throw new KscopeError('unsupported', `there are ${sharedName(name, shared)}, of which none can be chosen`);
  }
  return kind === 'TRUE' ? 'true' : 'error';
}

function refused(name: string): KscopeError {
  return new KscopeError('unsupported', `this kernel lets no program have ${name} fail`, {
    hint: 'it allows that for functions named security_*, and for those in /sys/kernel/debug/error_injection/list',
  });
}

/** Lines are 'should_failslab+0x0/0x10\tERRNO'. */
function listed(file: string): ReadonlyMap<string, string> {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // Most kernels have no list.
  }
  return new Map(
    Array.from(text.matchAll(/^([\w.]+)\S*(?: \[\w+\])?\t(\w+)$/gm), ([, name = '', kind = '']) => [name, kind]),
  );
}
