import { KscopeError } from '../model/errors.ts';
import { libbpf, options } from '../native/libbpf.ts';
import { errno, errorText, libc } from '../native/libc.ts';
import type { Pointer } from '../native/library.ts';
import { type PerfEventAttr, perfEventOpen } from '../native/perf-event.ts';
import { BpfLink } from './link.ts';
import { withLog } from './log.ts';

export interface UserProbe {
  /** The binary or shared object; a path, not the name of a library. */
  readonly file: string;
  /** Function name, or 'name@VERSION'... */
  readonly symbol?: string;
  /** ...or where in the file (without a symbol), or in the function. */
  readonly offset?: bigint | number;
  /** At the return of the function. */
  readonly return?: boolean;
  /** Only in this process. */
  readonly pid?: number;
  /** What the program gets from bpf_get_attach_cookie(). */
  readonly cookie?: number;
}

/** A program of an object file. Before load it can be left out; after load it can be attached. */
export class BpfProgram {
  readonly name: string;
  /** Where it says it belongs: 'tp_btf/sched_process_exit'. */
  readonly section: string;
  readonly #pointer: Pointer;
  readonly #own: (link: BpfLink) => BpfLink;

  constructor(pointer: bigint, own: (link: BpfLink) => BpfLink) {
    this.#pointer = pointer;
    this.#own = own;
    this.name = libbpf.bpf_program__name(pointer);
    this.section = libbpf.bpf_program__section_name(pointer);
  }

  /** Descriptor of the loaded program; negative when it is not loaded. */
  get fd(): number {
    return libbpf.bpf_program__fd(this.#pointer);
  }

  /** Whether `load` will load it. */
  get autoload(): boolean {
    return libbpf.bpf_program__autoload(this.#pointer);
  }

  set autoload(load: boolean) {
    libbpf.bpf_program__set_autoload(this.#pointer, load);
  }

  /** Before load: the kernel function of an fentry, fexit or LSM program, instead of the one in its section. */
  setTarget(name: string): void {
    this.#check(libbpf.bpf_program__set_attach_target(this.#pointer, 0, name), `cannot aim at ${name}`);
  }

  /** Attaches where the section says. @throws KscopeError unsupported | permission | failed */
  attach(): BpfLink {
    return this.#attach(this.section, () => libbpf.bpf_program__attach(this.#pointer));
  }

  attachTracepoint(category: string, name: string): BpfLink {
    return this.#attach(`tracepoint ${category}:${name}`, () =>
      libbpf.bpf_program__attach_tracepoint(this.#pointer, category, name),
    );
  }

  attachRawTracepoint(name: string): BpfLink {
    return this.#attach(`raw tracepoint ${name}`, () => libbpf.bpf_program__attach_raw_tracepoint(this.#pointer, name));
  }

  /** At the entry of a kernel function, at an offset in it, or at its return. */
  attachKprobe(name: string, details: { return?: boolean; offset?: number; cookie?: number } = {}): BpfLink {
    const given = { retprobe: details.return ?? false, offset: details.offset ?? 0, bpf_cookie: details.cookie ?? 0 };
    return this.#attach(`${given.retprobe ? 'kretprobe' : 'kprobe'} ${name}`, () =>
      libbpf.bpf_program__attach_kprobe_opts(this.#pointer, name, options('bpf_kprobe_opts', given)),
    );
  }

  /** At all kernel functions that match a pattern with `*` and `?`, in one step (kprobe.multi, kernel 5.18). */
  attachKprobeMulti(pattern: string, details: { return?: boolean } = {}): BpfLink {
    const given = { retprobe: details.return ?? false };
    return this.#attach(`kprobe.multi ${pattern}`, () =>
      libbpf.bpf_program__attach_kprobe_multi_opts(this.#pointer, pattern, options('bpf_kprobe_multi_opts', given)),
    );
  }

  /** At a function or an offset of a binary or shared object. */
  attachUprobe(probe: UserProbe): BpfLink {
    const given = {
      retprobe: probe.return ?? false,
      func_name: probe.symbol ?? null,
      bpf_cookie: probe.cookie ?? 0,
    };
    return this.#attach(`uprobe ${probe.file}:${probe.symbol ?? probe.offset ?? 0}`, () =>
      libbpf.bpf_program__attach_uprobe_opts(
        this.#pointer,
        probe.pid ?? -1,
        probe.file,
        probe.offset ?? 0,
        options('bpf_uprobe_opts', given),
      ),
    );
  }

  /** At a statically defined probe of a binary, in one process or (kernel 5.15) in all. */
  attachUsdt(file: string, provider: string, name: string, pid = -1): BpfLink {
    return this.#attach(`usdt ${file}:${provider}:${name}`, () =>
      libbpf.bpf_program__attach_usdt(this.#pointer, pid, file, provider, name, null),
    );
  }

  /** To samples of a perf event on one CPU (all processes) or of one process (all CPUs). */
  attachPerfEvent(attr: PerfEventAttr, target: { cpu?: number; pid?: number }): BpfLink {
    const fd = perfEventOpen(attr, target.pid ?? -1, target.cpu ?? -1);
    const where = `perf event on ${target.cpu === undefined ? `process ${target.pid}` : `CPU ${target.cpu}`}`;
    if (fd < 0) {
      throw attachError(this.name, where, -fd, []);
    }
    try {
      // The link closes the descriptor from then on.
      return this.#attach(where, () => libbpf.bpf_program__attach_perf_event(this.#pointer, fd));
    } catch (error) {
      libc.close(fd);
      throw error;
    }
  }

  #attach(where: string, attach: () => Pointer): BpfLink {
    return withLog((log) => {
      const link = attach();
      if (link === null) {
        throw attachError(this.name, where, errno(), log);
      }
      return this.#own(new BpfLink(link));
    });
  }

  #check(result: number, what: string): void {
    if (result < 0) {
      throw new KscopeError('failed', `program ${this.name}: ${what}: ${errorText(result)}`);
    }
  }
}

function attachError(program: string, where: string, error: number, log: readonly string[]): KscopeError {
  const missing = error === 2 || error === 19 || error === 95 || error === 524;
  const code = error === 1 || error === 13 ? 'permission' : missing ? 'unsupported' : 'failed';
  const reason = error === 0 ? 'the section does not say where it attaches' : errorText(error);
  return new KscopeError(code, `cannot attach ${program} to ${where}: ${reason}`, {
    log: log.join('\n'),
    subject: program,
  });
}
