import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Btf } from '../../lib/bpf/btf.ts';
import type { BtfType } from '../../lib/bpf/btf-kinds.ts';
import { type ChoiceRules, choosePrograms, describeHook } from '../../lib/bpf/choose.ts';
import { type Elf, type ElfSymbol, parseElf } from '../../lib/bpf/elf.ts';
import type { FeatureAnswer } from '../../lib/bpf/features.ts';
import { parseSection } from '../../lib/bpf/hooks.ts';
import { hookArguments } from '../../lib/bpf/tracepoint-arguments.ts';
import type { Tool } from '../../lib/shapes/definition.ts';
import { decode, reachable } from '../helpers/bpf-code.ts';
import {
  type CoreRelocation,
  coreRelocations,
  describeRelocation,
  KernelTypes,
  resolves,
} from '../helpers/core-relocations.ts';

/** The number of the helper bpf_get_func_ret(). */
const GET_FUNC_RET = 184;

/** A kernel that is only read: the types that its image and its modules carry. */
export class KernelImage {
  readonly name: string;
  readonly types: KernelTypes;
  readonly #modules: () => readonly Btf[];
  readonly #prototypes = new Map<string, readonly string[] | undefined>();

  private constructor(name: string, types: KernelTypes, modules: () => readonly Btf[]) {
    this.name = name;
    this.types = types;
    this.#modules = modules;
  }

  /** Reads an ELF kernel; the modules are the `.ko` files of a folder. */
  static read(name: string, vmlinux: string, modules: string): KernelImage {
    const section = parseElf(readFileSync(vmlinux), vmlinux).section('.BTF');
    if (section === undefined) throw new Error(`${vmlinux} has no BTF`);
    const files = readdirSync(modules, { encoding: 'utf8', recursive: true })
      .filter((file) => file.endsWith('.ko'))
      .map((file) => join(modules, file));
    const base = Btf.parse(section.bytes);
    let loaded: readonly Btf[] | undefined;
    const ofModules = () => {
      loaded ??= files.flatMap((file) => moduleTypes(file, base));
      return loaded;
    };
    return new KernelImage(name, new KernelTypes(base, ofModules), ofModules);
  }

  /** The same kernel as if it did not have a type. */
  without(type: string): KernelImage {
    return new KernelImage(this.name, this.types.without(type), this.#modules);
  }

  /** The prototype of a function, or of a tracepoint as its programs see it; undefined when there is none. */
  prototype(kind: 'function' | 'tracepoint', name: string): readonly string[] | undefined {
    const key = `${kind} ${name}`;
    if (!this.#prototypes.has(key)) this.#prototypes.set(key, this.#readPrototype(kind, name));
    return this.#prototypes.get(key);
  }

  #readPrototype(kind: 'function' | 'tracepoint', name: string): string[] | undefined {
    for (const btf of this.#all()) {
      const type = kind === 'function' ? btf.findByName(name, 'func') : btf.findByName(`btf_trace_${name}`, 'typedef');
      if (type === undefined) continue;
      const behind = kind === 'function' ? btf.type(type.type) : pointed(btf, type.id);
      if (behind?.kind !== 'func_proto') continue;
      const parameters = behind.parameters.map((parameter) => cName(btf, parameter.type));
      return kind === 'function' ? parameters : parameters.slice(1);
    }
    return undefined;
  }

  /** The kernel's own, then those of the modules, which are read when they are needed. */
  *#all(): Generator<Btf> {
    yield this.types.btf;
    yield* this.#modules();
  }
}

function moduleTypes(file: string, base: Btf): readonly Btf[] {
  const section = parseElf(readFileSync(file), file).section('.BTF');
  return section === undefined || section.size === 0 ? [] : [Btf.parse(section.bytes, base)];
}

function pointed(btf: Btf, id: number): BtfType | undefined {
  const pointer = btf.resolve(id);
  return pointer.kind === 'ptr' ? btf.resolve(pointer.type) : undefined;
}

/** The C name of a type, without what does not change its meaning: `struct request *`. */
function cName(btf: Btf, id: number): string {
  const type = btf.type(id);
  switch (type.kind) {
    case 'void':
      return id === 0 ? 'void' : '...';
    case 'ptr':
      return `${cName(btf, type.type)} *`;
    case 'const':
    case 'volatile':
    case 'restrict':
    case 'type_tag':
      return cName(btf, type.type);
    case 'struct':
    case 'union':
    case 'enum':
      return `${type.kind} ${type.name || '{}'}`;
    case 'func_proto':
      return 'function';
    default:
      return type.name;
  }
}

/** What a hook is to the types of a kernel: something with arguments, or nothing that they tell about. */
function target(section: string): { readonly kind: 'function' | 'tracepoint'; readonly name: string } | undefined {
  const { kind, target: name } = parseSection(section);
  switch (kind) {
    case 'tp_btf':
    case 'raw_tp':
      return { kind: 'tracepoint', name };
    case 'tracepoint': {
      const [category, event = ''] = name.split('/');
      const [, call] = /^sys_(?:enter|exit)_(\w+)$/.exec(event) ?? [];
      return category === 'syscalls' && call !== undefined
        ? { kind: 'function', name: `__x64_sys_${call}` }
        : { kind: 'tracepoint', name: event };
    }
    case 'fentry':
    case 'fexit':
    case 'fmod_ret':
    case 'kprobe':
    case 'kretprobe':
      return { kind: 'function', name: name.replace(/\+.*/, '') };
    case 'lsm':
      return { kind: 'function', name: `bpf_lsm_${name}` };
    case 'iter':
      return { kind: 'function', name: `bpf_iter_${name}` };
    default:
      return undefined;
  }
}

/** What became of a tool on a kernel. */
export interface Drift {
  readonly tool: string;
  readonly kernel: string;
  /** Hooks that a run without options would use. */
  readonly hooks: readonly string[];
  /** Why it cannot run there: its hooks are not there. */
  readonly unsupported?: string;
  /** Programs that the kernel would refuse, with what they miss, though their hooks are there. */
  readonly refused: readonly { readonly program: string; readonly why: string; readonly covered: boolean }[];
  /** Fields, types and values that are not there, but are not needed either. */
  readonly absent: readonly string[];
}

interface Program {
  readonly name: string;
  readonly section: string;
  readonly start: number;
}

/** An object file, prepared for looking at it with many kernels. */
export class DriftObject {
  readonly local: Btf;
  readonly relocations: readonly CoreRelocation[];
  readonly programs: readonly Program[];
  readonly #elf: Elf;
  readonly #functions: readonly Program[];
  readonly #symbols: readonly ElfSymbol[];

  constructor(file: string) {
    this.#elf = parseElf(readFileSync(file), file);
    const section = this.#elf.section('.BTF');
    if (section === undefined) throw new Error(`${file} has no BTF`);
    this.local = Btf.parse(section.bytes);
    this.relocations = coreRelocations(this.#elf);
    this.#symbols = this.#elf.symbols();
    const functions = this.#symbols
      .filter(({ type }) => type === 2)
      .map(({ name, value, section: home }) => ({ name, section: this.#elf.sections[home]?.name ?? '', start: value }));
    this.#functions = functions.filter(({ section: home }) => home === '.text');
    this.programs = functions.filter(({ section: home }) => home !== '.text');
  }

  /** Why the verifier would refuse a program, and what it would find absent. */
  check(program: Program, kernel: KernelImage): { readonly why?: string; readonly absent: readonly string[] } {
    const absent = new Set<string>();
    const whys = [...this.#walk(program, kernel, absent)];
    return { absent: [...absent], ...(whys.length > 0 && { why: [...new Set(whys)].join(', ') }) };
  }

  /**
   * Whether a program reads the result of its function, which is behind the last argument; undefined when it is not at
   * fexit or the kernel has no such function.
   */
  readsResult(program: Program, kernel: KernelImage): boolean | undefined {
    const hook = parseSection(program.section).kind === 'fexit' ? target(program.section) : undefined;
    const known = hook === undefined ? undefined : kernel.prototype(hook.kind, hook.name);
    if (known === undefined) return undefined;
    const { code, places, context } = this.#reach(program, kernel, new Set());
    // Where the kernel has a helper for it, nobody has to know the place.
    const asks = [...places].some((place) => code[place]?.code === 0x85 && code[place]?.value === GET_FUNC_RET);
    return asks ? undefined : context.has(known.length * 8);
  }

  *#walk(program: Program, kernel: KernelImage, absent: Set<string>): Generator<string> {
    const { code, barriers, places, context } = this.#reach(program, kernel, absent);
    for (const [place, what] of barriers) if (places.has(place)) yield `there is no ${what}`;
    yield* this.#argumentsOf(program.section, context, kernel);
    const calls = [...places].some((place) => code[place]?.code === 0x85 && code[place]?.from === 1);
    if (calls && program.section !== '.text') {
      for (const callee of this.#functions) yield* this.#walk(callee, kernel, absent);
    }
  }

  #reach(program: Program, kernel: KernelImage, absent: Set<string>) {
    const code = decode(this.#elf.section(program.section)?.bytes ?? new Uint8Array());
    const loads = new Map<number, bigint>();
    const barriers = new Map<number, string>();
    for (const relocation of this.relocations.filter(({ section }) => section === program.section)) {
      const place = relocation.offset / 8;
      const there = resolves(this.local, kernel.types, relocation);
      const what = describeRelocation(this.local, relocation);
      if (!there) absent.add(what);
      if (/_exists$|_matches$/.test(relocation.kind)) loads.set(place, there ? 1n : 0n);
      else if (!there && relocation.kind !== 'type_size') barriers.set(place, what);
    }
    const { variables, constants } = this.#constants(program.section, kernel);
    const facts = { loads, variables, constants, barriers: new Set(barriers.keys()) };
    return { code, barriers, ...reachable(code, program.start / 8, facts) };
  }

  /** Arguments that the program takes and the hook does not have. */
  *#argumentsOf(section: string, context: ReadonlyMap<number, number>, kernel: KernelImage): Generator<string> {
    const { kind } = parseSection(section);
    const hook = target(section);
    if (hook === undefined || !['tp_btf', 'raw_tp', 'fentry', 'fexit', 'fmod_ret'].includes(kind)) return;
    const known = kernel.prototype(hook.kind, hook.name);
    if (known === undefined) return;
    const count = known.length + (kind === 'fexit' || kind === 'fmod_ret' ? 1 : 0);
    for (const offset of context.keys()) {
      if (offset >= count * 8) yield `${hook.name} has no argument ${offset / 8 + 1}: (${known.join(', ')})`;
    }
  }

  #constants(section: string, kernel: KernelImage) {
    const variables = new Map<number, string>();
    const constants = new Map<string, bigint>();
    const table = this.#elf.section(`.rel${section}`)?.bytes ?? new Uint8Array();
    const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
    const symbols = this.#symbols;
    // The table begins with an empty symbol, which `symbols` may or may not leave out.
    const shift = symbols[0]?.name === '' && symbols[0].section === 0 ? 0 : 1;
    for (let at = 0; at + 16 <= table.length; at += 16) {
      const symbol = symbols[view.getUint32(at + 12, true) - shift];
      if (symbol === undefined || this.#elf.sections[symbol.section]?.name !== '.rodata') continue;
      variables.set(Number(view.getBigUint64(at, true)) / 8, symbol.name);
      const [, tracepoint] = /^(\w+)_arguments$/.exec(symbol.name) ?? [];
      const count = tracepoint === undefined ? undefined : hookArguments(kernel.types.btf, tracepoint);
      if (count !== undefined) constants.set(symbol.name, BigInt(count));
    }
    return { variables, constants };
  }
}

/**
 * Programs that are aimed at run time have no hooks to choose from, but read what they read wherever they are. What else
 * this machine lacks is not the kernel's fault.
 */
function rulesOf(tool: Tool, { programs }: DriftObject): ChoiceRules {
  const aimed = programs.some(({ section }) => parseSection(section).target !== '');
  const { lacks: _, ...rules } = tool.rules({});
  return aimed ? rules : { optional: programs.map(({ name }) => name) };
}

/** Looks at one tool with the types of one kernel. */
export function driftOf(name: string, tool: Tool, object: DriftObject, kernel: KernelImage): Drift {
  const canAttach = (section: string): FeatureAnswer => {
    const hook = target(section);
    return hook === undefined || hook.name === '' || kernel.prototype(hook.kind, hook.name) !== undefined
      ? { supported: true, reason: '' }
      : { supported: false, reason: `no ${hook.kind} ${hook.name}` };
  };
  const refusals = new Map<string, string>();
  const absent = new Set<string>();
  for (const program of object.programs) {
    if (canAttach(program.section).supported === false) continue;
    const { why, absent: missing } = object.check(program, kernel);
    if (why !== undefined) refusals.set(program.name, why);
    for (const what of missing) absent.add(what);
  }
  const rules = rulesOf(tool, object);
  const candidates = object.programs.map(({ name: program, section }) => ({ name: program, section }));
  const without = choosePrograms(candidates, rules, canAttach);
  const choice = choosePrograms(candidates, rules, canAttach, refusals);
  const { chosen, problem } = without.problem === undefined ? choice : without;
  const base = (program: string) => program.replace(/__\w+$/, '');
  // One that is not wanted without options is replaced by a twin, or by nothing.
  const replaced = (program: string): boolean =>
    choice.problem === undefined &&
    (without.chosen.includes(program) ||
      (rules.either ?? []).some((plan) => !plan.includes(program) && plan.every((other) => !refusals.has(other))) ||
      candidates.some(
        (other) => other.name !== program && base(other.name) === base(program) && !refusals.has(other.name),
      ));
  return {
    ...{ tool: name, kernel: kernel.name, absent: [...absent].sort() },
    hooks: chosen.map((program) => describeHook(candidates.find((one) => one.name === program)?.section ?? '')),
    refused: [...refusals].map(([program, why]) => ({ program, why, covered: replaced(program) })),
    ...(without.problem !== undefined && { unsupported: problem ?? '' }),
  };
}

/** The arguments of the hooks that programs take arguments from, by kernel; undefined where there is no such hook. */
export function prototypes(
  objects: Iterable<DriftObject>,
  kernels: readonly KernelImage[],
): Map<string, readonly (string | undefined)[]> {
  const out = new Map<string, readonly (string | undefined)[]>();
  for (const { programs } of objects) {
    for (const { section } of programs) {
      const hook = target(section);
      const hasArguments = /^(tp_btf|raw_tp|raw_tracepoint|fentry|fexit|fmod_ret|kprobe|lsm)\b/.test(section);
      if (hook === undefined || !hasArguments) continue;
      out.set(
        `${hook.kind} ${hook.name}`,
        kernels.map((kernel) => kernel.prototype(hook.kind, hook.name)?.join(', ')),
      );
    }
  }
  return out;
}
