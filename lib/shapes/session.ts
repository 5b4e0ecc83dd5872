import { aimed, type ChoiceRules, choosePrograms, describeHook } from '../bpf/choose.ts';
import { probeFeature } from '../bpf/features.ts';
import type { GeneratedProgram } from '../bpf/generated-program.ts';
import { canAttach } from '../bpf/hooks.ts';
import { kernelBtf, setKernelBtf } from '../bpf/kernel-btf.ts';
import { setDebugLog } from '../bpf/log.ts';
import { RINGBUF } from '../bpf/map.ts';
import { BpfObject } from '../bpf/object.ts';
import { type ObjectFile, objectOf } from '../bpf/object-file.ts';
import type { BpfProgram } from '../bpf/program.ts';
import type { Skeleton } from '../bpf/skeleton.ts';
import { moveToSyscallFunctions } from '../bpf/syscall-functions.ts';
import { hookArguments } from '../bpf/tracepoint-arguments.ts';
import { KscopeError, reasonOf } from '../model/errors.ts';
import type { AttachedHook, LostMessage } from '../model/message.ts';
import { mayTrace } from '../system/capabilities.ts';
import { lockedDown, unlock } from '../system/lockdown.ts';
import { bufferPagesSize } from './common-options.ts';
import { CostReport } from './cost-report.ts';
import type { RunContext, StatsRequest } from './definition.ts';
import { loadFilters, prepareFilters } from './filters.ts';
import type { Options } from './options.ts';
import { placesAtOnce } from './places.ts';

export interface SessionPlan {
  readonly skeleton: Skeleton;
  readonly options: Options;
  readonly context: RunContext;
  readonly rules: ChoiceRules;
  /** Between open and load: sizes, and constants that are no option's value. */
  readonly prepare?: (object: BpfObject) => void;
  /** Between load and attach: entries of maps. */
  readonly loaded?: (object: BpfObject) => void;
  /** Programs that are written at run time, in the place of a stub that the object has and that is not attached. */
  readonly generated?: {
    readonly stub: string;
    /** After load: loads and attaches them. */
    start(object: BpfObject, file: ObjectFile): readonly GeneratedProgram[];
  };
  /** By program name: attaches one whose section does not say where. */
  readonly attachers?: Readonly<Record<string, (program: BpfProgram) => void>>;
}

/** A loaded and attached object: what every shape that uses BPF begins with. */
export class Session implements Disposable {
  readonly object: BpfObject;
  readonly hooks: readonly AttachedHook[];
  readonly #losses: Loss[];
  readonly #costs: CostReport | undefined;
  readonly #generated: ReadonlyMap<string, GeneratedProgram>;

  private constructor(
    object: BpfObject,
    attached: readonly AttachedHook[],
    generated: readonly GeneratedProgram[],
    stats: StatsRequest | undefined,
  ) {
    this.object = object;
    this.#generated = new Map(generated.map((one, i) => [`${one.program.name}_${i + 1}`, one]));
    this.hooks = [...attached, ...Array.from(this.#generated, ([program, { hook }]) => ({ program, hook }))];
    this.#costs = stats && new CostReport(stats, this);
    this.#losses = object.globals.names
      .filter((name) => /_(lost|dropped)$/.test(name))
      .map((name) => new Loss(lostThings(name), object.globals.counter(name)));
    const programs = this.hooks.map(({ program }) => this.program(program));
    const missed = atMostEverySecond(() => programs.reduce((sum, program) => sum + program.misses, 0));
    this.#losses.push(new Loss('events that came while a program was busy', missed));
  }

  /**
   * Opens, configures, loads and attaches. A program that the kernel refuses is replaced by its alternative.
   * @throws KscopeError
   */
  static start(plan: SessionPlan): Session {
    setDebugLog(plan.context.debug);
    if (plan.context.btf !== undefined) {
      setKernelBtf(plan.context.btf);
    }
    const file = objectOf(plan.skeleton);
    const failed = new Map<string, string>();
    let mayMove = true;
    for (;;) {
      let moved = false;
      const object = BpfObject.openBytes(file.bytes, {
        spec: file.spec,
        name: plan.skeleton.name,
        ...(plan.context.btf !== undefined && { btf: plan.context.btf }),
      });
      try {
        const chosen = prepare(object, plan, failed);
        moved = mayMove && moveToSyscallFunctions(object, chosen);
        const hooks = attach(object, plan, chosen);
        return new Session(object, hooks, plan.generated?.start(object, file) ?? [], plan.context.stats);
      } catch (thrown) {
        object.close();
        const error = asKscopeError(thrown, plan.skeleton.name);
        if (moved && error.subject !== undefined) {
          mayMove = false;
          plan.context.debug?.(`${error.message}; trying the tracepoint`);
          continue;
        }
        const subject = error.code !== 'permission' ? error.subject : undefined;
        if (subject === undefined || failed.has(subject) || !object.programs.has(subject)) {
          throw error;
        }
        failed.set(subject, error.message);
        if (choose(object, plan.rules, failed).problem !== undefined) {
          throw error;
        }
        plan.context.debug?.(`${error.message}; trying the next hook`);
      }
    }
  }

  /** What got lost since the last call; at the end, all that was lost since the start. */
  losses(final: boolean): LostMessage[] {
    const messages: LostMessage[] = [];
    // Asked at each look at a ring.
    for (const loss of this.#losses) {
      const message = loss.message(final);
      if (message !== undefined) {
        messages.push(message);
      }
    }
    return messages;
  }

  /** All that got lost so far, by what it was. */
  get lost(): readonly { readonly what: string; readonly total: number }[] {
    return this.#losses.map((loss) => loss.soFar).filter(({ total }) => total > 0);
  }

  /** A program of the object, or one that was written at run time. @throws KscopeError failed */
  program(name: string): BpfProgram {
    return this.#generated.get(name)?.program ?? this.object.program(name);
  }

  /** Detaches everything; what is in the buffers can still be read. */
  detach(): void {
    for (const one of this.#generated.values()) {
      one.detach();
    }
    this.object.detach();
  }

  close(): void {
    this.#costs?.close();
    for (const one of this.#generated.values()) {
      one.close();
    }
    this.object.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** What the system refuses to a definition's own functions is a failure like any other. */
function asKscopeError(thrown: unknown, name: string): KscopeError {
  return thrown instanceof KscopeError
    ? thrown
    : new KscopeError('failed', `cannot start ${name}: ${reasonOf(thrown)}`, {
        cause: thrown,
      });
}

function choose(object: BpfObject, rules: ChoiceRules, failed: ReadonlyMap<string, string>) {
  return choosePrograms([...object.programs.values()], rules, canAttach, failed);
}

/** Everything before load. @returns the programs to load */
function prepare(object: BpfObject, plan: SessionPlan, failed: ReadonlyMap<string, string>): readonly string[] {
  const { context } = plan;
  configure(object, plan);
  const choice = choose(object, plan.rules, failed);
  for (const { program, reason } of choice.rejected) {
    context.debug?.(`${program} is left out: ${reason}`);
  }
  if (choice.problem !== undefined) {
    if (!mayTrace()) {
      // What the kernel has is of no use to them.
      throw new KscopeError('permission', `cannot load ${object.name}: not permitted`);
    }
    throw new KscopeError('unsupported', `this kernel lacks what ${object.name} needs: ${choice.problem}`, {
      hint: choice.problem.includes(lockedDown) ? unlock : 'kscope doctor shows what this kernel can do',
    });
  }
  const chosen = new Set(choice.chosen);
  for (const program of object.programs.values()) {
    program.autoload = chosen.has(program.name);
    const target = plan.rules.targets?.[program.name];
    if (program.autoload && target !== undefined && /^(fentry|fexit|fmod_ret)$/.test(program.section)) {
      program.setTarget(target);
    }
    const ofUser = program.autoload && /^u(ret)?probe$/.test(program.section) && program.name !== plan.generated?.stub;
    if (ofUser && placesAtOnce(context.values)) {
      program.takePlacesAtOnce();
    }
  }
  return choice.chosen;
}

function attach(object: BpfObject, plan: SessionPlan, chosen: readonly string[]): AttachedHook[] {
  object.load();
  loadFilters(object, plan.context.values);
  plan.loaded?.(object);
  const placed = chosen.filter((name) => name !== plan.generated?.stub);
  for (const name of placed) {
    const by = plan.attachers?.[name];
    const program = object.program(name);
    const target = plan.rules.targets?.[name];
    if (by !== undefined) {
      by(program);
    } else if (target !== undefined && /^k(ret)?probe$/.test(program.section)) {
      program.attachKprobe(target, { return: program.section === 'kretprobe' });
    } else {
      object.attach([name]);
    }
  }
  return placed.map((program) => ({
    program,
    hook: describeHook(aimed(object.program(program).section, plan.rules.targets?.[program])),
  }));
}

function configure(object: BpfObject, plan: SessionPlan): void {
  const { values } = plan.context;
  for (const [key, option] of Object.entries(plan.options)) {
    const value = values[key];
    if (option.set !== undefined && value !== undefined && value !== null && value !== false) {
      setOption(object, option.set, option.encode === undefined ? value : option.encode(value), option.flags);
    }
  }
  setArgumentCounts(object);
  setPlaceNumbers(object);
  prepareFilters(object, values);
  plan.prepare?.(object);
  const bufferSize = plan.context.bufferSize ?? bufferPagesSize(values);
  if (bufferSize !== undefined) {
    for (const map of object.maps.values()) {
      if (map.type === RINGBUF) {
        map.maxEntries = 2 ** Math.ceil(Math.log2(bufferSize));
      }
    }
  }
}

/** Says to programs of bpf/include/probe-points.h whether their places have numbers. @throws KscopeError failed */
function setPlaceNumbers(object: BpfObject): void {
  if (object.globals.has('has_attach_cookie')) {
    const { supported, reason } = probeFeature('attach_cookie');
    // Whoever may not try may not load either, and is told so.
    if (supported === undefined && mayTrace()) {
      throw new KscopeError('failed', `cannot find out whether the kernel tells places apart: ${reason}`);
    }
    object.globals.set('has_attach_cookie', supported === true);
  }
}

/** A value that the constant has no room for is the fault of whoever gave it. @throws KscopeError usage */
function setOption(object: BpfObject, variable: string, value: unknown, flags: string): void {
  try {
    object.globals.set(variable, value);
  } catch (error) {
    const why = error instanceof KscopeError && error.cause instanceof KscopeError ? error.cause.message : undefined;
    if (why === undefined) {
      throw error;
    }
    throw new KscopeError('usage', why.replace(/^'value'/, `option '${flags}'`), {
      hint: `${object.name} --help`,
      cause: error,
    });
  }
}

/** A constant X_arguments takes how many arguments tracepoint or function X has in the running kernel. */
function setArgumentCounts(object: BpfObject): void {
  for (const name of object.globals.names) {
    const [, hook] = /^(\w+)_arguments$/.exec(name) ?? [];
    const count = hook === undefined ? undefined : hookArguments(kernelBtf(), hook);
    if (count !== undefined) {
      object.globals.set(name, count);
    }
  }
}

/** What a counter of the program counts, in the plural. */
function lostThings(variable: string): string {
  const [, map = variable, kind] = /^(.*)_(lost|dropped)$/.exec(variable) ?? [];
  return (kind === 'lost' ? map : `entries of ${map}`).replaceAll('_', ' ');
}

/** Asking the kernel costs a system call for each program, and rows come every few milliseconds. */
function atMostEverySecond(read: () => number): (now?: boolean) => number {
  let value = 0;
  let next = 0;
  return (now = false) => {
    if (now || performance.now() >= next) {
      value = read();
      next = performance.now() + 1000;
    }
    return value;
  };
}

/** A counter that says how much could not be kept. */
class Loss {
  readonly #what: string;
  readonly #read: (now: boolean) => number;
  #reported = 0;

  constructor(what: string, read: (now: boolean) => number) {
    this.#what = what;
    this.#read = read;
  }

  get soFar(): { readonly what: string; readonly total: number } {
    return { what: this.#what, total: this.#read(true) };
  }

  message(final: boolean): LostMessage | undefined {
    const total = this.#read(final);
    const count = total - this.#reported;
    if (count === 0 && !(final && total > 0)) {
      return undefined;
    }
    this.#reported = total;
    return { type: 'lost', count, total, what: this.#what, final };
  }
}
