import { probeFeature } from '../bpf/features.ts';
import type { BpfProgram } from '../bpf/program.ts';
import { ATTACH, PROG } from '../bpf/program-types.ts';
import { hasTracepoint } from '../bpf/tracefs.ts';
import { KscopeError } from '../model/errors.ts';
import type { FindType, TypeKind } from './c-types.ts';
import { commonNames } from './common-scope.ts';
import { isDenied, neverReturns } from './denied.ts';
import { findProbes, tracepoints, type UserFile, type UserPlace } from './find.ts';
import { sharingFunctions } from './kernel-functions.ts';
import { functionHomes, kernelTypes, signatureOf, typesOfFunction } from './kernel-types.ts';
import type { Specification } from './parse-specification.ts';
import { parseUsdtArguments } from './registers.ts';
import { functionScope, type Hook, passedInRegisters, type Signature, tracepointScope, usdtScope } from './scopes.ts';
import { attachToAll, sharedName } from './shared-name.ts';
import { nearestNames, specificationError } from './specification-error.ts';
import { hasName } from './syntax.ts';
import { tracepointFields } from './tracepoint-format.ts';
import { tracepointRecord } from './tracepoint-record.ts';
import type { Scope, Typed } from './value.ts';

/** What one program is made for: where it is attached, and what it can see there. */
export interface Target {
  readonly scope: Scope;
  readonly type: number;
  readonly attachType?: number;
  /** Function of the kernel that the program is for. */
  readonly aim?: string;
  /** For people: 'kprobe vfs_read'. */
  readonly hook: string;
  attach(program: BpfProgram): void;
}

/** Where libraries are looked for, and whether returns are hooked that should not be. */
export interface Search {
  readonly pid?: number | undefined;
  readonly force?: boolean;
}

/** Nothing is read for a type that nobody names. */
const findType: FindType = Object.assign((kind: TypeKind, name: string) => kernelTypes().find(kind, name), {
  names: (kind: TypeKind) => kernelTypes().names(kind),
});

let everywhere: ReadonlyMap<string, Typed> | undefined;

function common(): ReadonlyMap<string, Typed> {
  everywhere ??= commonNames(() => kernelTypes().find('struct', 'task_struct'));
  return everywhere;
}

/**
 * Finds what a specification means on this machine: one target, or several where a statically defined probe was compiled
 * in several ways. @throws KscopeError usage, unsupported
 */
export function targetsOf(specification: Specification, search: Search = {}): readonly Target[] {
  const { place } = specification;
  switch (place.kind) {
    case 'tracepoint':
      return [tracepointTarget(specification)];
    case 'usdt':
      return usdtTargets(specification, search);
    default:
      return [place.kernel ? kernelTarget(specification) : userTarget(specification, search)];
  }
}

function tracepointTarget({ text, place }: Specification): Target {
  const { where, name } = place;
  if (!/^\w+$/.test(where) || !/^\w+$/.test(name) || !hasTracepoint(where, name)) {
    const all = tracepoints();
    const inCategory = all.filter(({ category }) => category === where);
    const near =
      inCategory.length > 0
        ? nearestNames(
            `tracepoints of ${where}`,
            name,
            inCategory.map((one) => one.name),
          )
        : nearestNames('categories', where, new Set(all.map(({ category }) => category)));
    const elsewhere = all.filter((one) => one.name === name).map((one) => `t:${one.category}:${one.name}`);
    const hint = elsewhere.length > 0 ? `did you mean ${elsewhere.slice(0, 5).join(', ')}?` : near;
    throw specificationError(text, place, `the kernel has no tracepoint '${where}:${name}'`, hint);
  }
  const record = tracepointRecord(tracepointFields(where, name), `${where}:${name}`);
  return {
    scope: tracepointScope(record, common(), findType),
    type: PROG.TRACEPOINT,
    hook: `tracepoint ${where}:${name}`,
    attach: (program) => program.attachTracepoint(where, name),
  };
}

/** System calls begin with functions whose only parameter has the registers of the caller. */
const syscallFunction = /^__(x64|arm64)_(compat_)?sys_/;

function kernelTarget(specification: Specification): Target {
  const { text, place } = specification;
  const { name, offset } = place;
  const types = typesOfFunction(name);
  if (types === undefined) {
    const near = nearestNames('did you mean', name, kernelTypes().names('func'));
    throw specificationError(text, place.at, `the kernel has no function '${name}'`, near);
  }
  if (isDenied(name) || (place.kind === 'return' && neverReturns(name))) {
    const why = isDenied(name) ? 'must not be hooked' : 'never returns';
    throw specificationError(text, place.at, `the function '${name}' ${why}`);
  }
  const shared = functionHomes(name).length > 1 ? sharingFunctions(name) : undefined;
  const known: Signature | undefined = shared === undefined ? types.signature(name) : signatureOf(name);
  const inner = syscallFunction.test(name);
  const find: FindType = Object.assign((kind: TypeKind, wanted: string) => types.find(kind, wanted), {
    names: (kind: TypeKind) => types.names(kind),
  });
  const context = { specification, common: common(), find, inner, known };
  const atReturn = place.kind === 'return';
  const named = atReturn && namesParameters(specification, known);
  const traced = probeFeature(atReturn ? 'fexit' : 'fentry').supported === true;
  const mayTrace = traced && known !== undefined && passedInRegisters(known) && !inner && offset === 0 && !shared;
  const probed = probeFeature('kprobe').supported !== false;
  const hook: Hook = mayTrace && (named || !probed) ? 'words' : 'registers';
  if (hook === 'registers' && !probed) {
    const { reason } = probeFeature('kprobe');
    throw new KscopeError('unsupported', `functions of this kernel cannot be traced: ${reason}`, {
      hint: ['tracepoints can be: t:CATEGORY:NAME', 'kscope doctor shows what this kernel can do'],
    });
  }
  if (hook === 'words') {
    const kind = atReturn ? 'fexit' : 'fentry';
    return {
      scope: functionScope({ ...context, hook }),
      type: PROG.TRACING,
      attachType: atReturn ? ATTACH.FEXIT : ATTACH.FENTRY,
      aim: name,
      hook: `${kind} ${name}`,
      attach: (program) => program.attachTrace(`${kind} ${name}`),
    };
  }
  // What the compiler made of parameters that are no registers, nobody knows.
  const usable = known === undefined || inner || passedInRegisters(known) ? known : undefined;
  const scope = functionScope({ ...context, hook, known: inner ? undefined : usable });
  const unlike = (one: string) =>
    `there is no '${one}': the functions called ${name} do not all have the same parameters`;
  const several = shared === undefined ? '' : ` (${sharedName(name, shared)})`;
  return {
    scope:
      shared === undefined || known !== undefined ? scope : { ...scope, why: (one) => scope.why?.(one) || unlike(one) },
    type: PROG.KPROBE,
    hook: `${atReturn ? 'kretprobe' : 'kprobe'} ${name}${offset === 0 ? '' : `+${offset}`}${several}`,
    attach: (program) => {
      const attach = (where: string | bigint) => program.attachKprobe(where, { return: atReturn, offset });
      shared === undefined ? attach(name) : attachToAll(name, shared, () => shared.addresses.map(attach));
    },
  };
}

/** Whether something names a parameter, which at a return only some hooks know. */
function namesParameters({ predicate, values, signature }: Specification, known: Signature | undefined): boolean {
  const parameters = new Set([...(known?.parameters ?? []), ...(signature ?? [])].map(({ name }) => name));
  const isParameter = (name: string) => /^arg\d+$/.test(name) || parameters.has(name);
  return [...(predicate === undefined ? [] : [predicate]), ...values].some((one) => hasName(one, isParameter));
}

/** Files and places of a library or program. @throws KscopeError usage when there are none */
function userFiles({ text, place }: Specification, { pid, force = false }: Search): readonly UserFile[] {
  const { where, name, provider } = place;
  const kind = place.kind === 'usdt' ? 'usdt' : 'user';
  const pattern = { text, kind, where, ...(provider !== undefined && { provider }) } as const;
  try {
    const found = findProbes({ ...pattern, name }, { pid, force, returns: place.kind === 'return' });
    return found.kind === 'user' ? found.files : [];
  } catch (error) {
    if (!(error instanceof KscopeError) || error.code !== 'usage') {
      throw error;
    }
    throw specificationError(
      text,
      place.at,
      error.message,
      ...error.hints,
      nearInFile({ ...pattern, name: '*' }, name, pid),
    );
  }
}

function nearInFile(all: Parameters<typeof findProbes>[0], name: string, pid: number | undefined): string {
  try {
    const found = findProbes(all, { pid });
    const files = found.kind === 'user' ? found.files : [];
    const names = new Set(files.flatMap(({ places }) => places.map((one) => one.name)));
    return nearestNames('did you mean', name, names) || (names.size < 30 ? `there are: ${[...names].join(', ')}` : '');
  } catch (error) {
    if (error instanceof KscopeError) {
      return '';
    }
    throw error;
  }
}

function userTarget(specification: Specification, search: Search): Target {
  const { place } = specification;
  const files = userFiles(specification, search);
  const atReturn = place.kind === 'return';
  const scope = functionScope({ specification, common: common(), find: findType, hook: 'registers' });
  return {
    scope,
    type: PROG.KPROBE,
    hook: `${atReturn ? 'uretprobe' : 'uprobe'} ${shown(files, place.name)}`,
    attach: (program) => attachAt(program, files, search.pid, { return: atReturn, further: place.offset }),
  };
}

function usdtTargets(specification: Specification, search: Search): readonly Target[] {
  const files = userFiles(specification, search);
  // Where the arguments are may differ from place to place.
  const forms = new Set(files.flatMap(({ places }) => places.map((one) => one.arguments ?? '')));
  return [...forms].map((form) => {
    const own = files.map(({ path, places }) => ({
      path,
      places: places.filter((one) => (one.arguments ?? '') === form),
    }));
    return {
      scope: usdtScope(parseUsdtArguments(form), common(), findType),
      type: PROG.KPROBE,
      hook: `usdt ${shown(files, specification.place.name)}`,
      attach: (program) => attachAt(program, own, search.pid, {}),
    };
  });
}

function shown(files: readonly UserFile[], name: string): string {
  return `${files[0]?.path ?? ''}:${name}`;
}

function attachAt(
  program: BpfProgram,
  files: readonly { readonly path: string; readonly places: readonly UserPlace[] }[],
  pid: number | undefined,
  { return: atReturn = false, further = 0 }: { readonly return?: boolean; readonly further?: number },
): void {
  for (const { path, places } of files) {
    for (const { offset, semaphore } of places) {
      program.attachUprobe({
        file: path,
        offset: offset + further,
        return: atReturn,
        ...(semaphore !== undefined && { semaphore }),
        ...(pid !== undefined && { pid }),
      });
    }
  }
}
