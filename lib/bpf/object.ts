import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KscopeError, reasonOf } from '../model/errors.ts';
import type { Row } from '../model/message.ts';
import type { DecodeContext } from '../model/types.ts';
import { libbpf, options } from '../native/libbpf.ts';
import { errno, errorText } from '../native/libc.ts';
import type { Pointer } from '../native/library.ts';
import { MappedMemory, viewMemory } from '../native/memory.ts';
import { mayFilterPackets, mayTrace } from '../system/capabilities.ts';
import { bootToEpochMicros } from '../system/clock.ts';
import { checkBtfFile } from './btf-file.ts';
import { compileDecoder, type Decoder, memoryOf } from './decoder.ts';
import { Globals } from './globals.ts';
import { loadedByNetworkAdmin } from './hooks.ts';
import type { BpfLink } from './link.ts';
import { explainLoadFailure } from './load-error.ts';
import { withLog } from './log.ts';
import { BpfMap, RINGBUF } from './map.ts';
import { checkDigest } from './object-file.ts';
import { type ObjectSpec, readObjectSpec } from './object-spec.ts';
import { BpfProgram } from './program.ts';
import { RingBuffer } from './ring-buffer.ts';
import type { AnyTypes, SkeletonTypes } from './skeleton.ts';

export interface OpenOptions {
  /** Name of the object in the kernel and in errors; by default the file's. */
  readonly name?: string;
  /** BTF of the running kernel, for kernels that do not carry it. */
  readonly btf?: string;
  /** SHA-256 that the bytes must have. */
  readonly digest?: string;
}

// The log of a large program's verification has been seen at several megabytes; untouched pages cost nothing.
const VERIFIER_LOG_SIZE = 16 * 2 ** 20;

type State = 'open' | 'loaded' | 'closed';

/**
 * A BPF object file: `open`, then set constants, sizes and what to leave out, then `load`, `attach` and `close`.
 * Everything it opened is closed by `close`, in reverse order. With the types that `kscope types` writes, the names of
 * maps, rings, programs and constants are checked, and their contents typed.
 *
 *     using object = BpfObject.open<Opens>('opens.bpf.o');
 *     object.globals.set('target_pid', 42);
 *     object.load();
 *     object.attach();
 *     for await (const row of object.ring('events')) console.log(row);
 */
export class BpfObject<T extends SkeletonTypes = AnyTypes> implements Disposable {
  readonly name: string;
  readonly programs: ReadonlyMap<string, BpfProgram>;
  readonly maps: ReadonlyMap<string, BpfMap>;
  readonly globals: Globals<T['rodata']>;
  readonly #spec: ObjectSpec;
  readonly #btf: string | undefined;
  readonly #context: DecodeContext = { bootToEpochMicros: 0 };
  readonly #links: BpfLink[] = [];
  readonly #rings = new Map<string, RingBuffer<Row>>();
  readonly #sections = new Map<string, MappedMemory>();
  readonly #verifierLog: MappedMemory;
  readonly #sectionMaps = new Map<string, bigint>();
  #pointer: Pointer;
  #state: State = 'open';

  /** Opens an object file. @throws KscopeError failed for a missing, damaged or stale file */
  static open<T extends SkeletonTypes = AnyTypes>(file: string | URL, details: OpenOptions = {}): BpfObject<T> {
    const path = file instanceof URL ? fileURLToPath(file) : file;
    let bytes: Buffer;
    try {
      bytes = readFileSync(path);
    } catch (cause) {
      throw new KscopeError('failed', `cannot read the BPF object ${path}: ${reasonOf(cause)}`, { cause });
    }
    return BpfObject.openBytes<T>(bytes, { name: basename(path).replace(/\.bpf\.o$|\.o$/, ''), ...details });
  }

  /**
   * The same for an object file that is in memory already; the bytes are not needed any more afterwards. `spec` is what
   * they declare, for those who know it.
   */
  static openBytes<T extends SkeletonTypes = AnyTypes>(
    bytes: Uint8Array,
    details: OpenOptions & { readonly name: string; readonly spec?: ObjectSpec },
  ): BpfObject<T> {
    return new BpfObject<T>(bytes, details);
  }

  private constructor(bytes: Uint8Array, details: OpenOptions & { readonly name: string; readonly spec?: ObjectSpec }) {
    this.name = details.name;
    if (details.digest !== undefined) {
      checkDigest(bytes, details.digest, this.name);
    }
    this.#btf = details.btf;
    if (details.btf !== undefined) {
      checkBtfFile(details.btf);
    }
    this.#spec = details.spec ?? readObjectSpec(bytes, `the BPF object of ${this.name}`);
    this.#verifierLog = MappedMemory.private(VERIFIER_LOG_SIZE);
    try {
      this.#pointer = withLog((log) => {
        const pointer = libbpf.bpf_object__open_mem(
          bytes,
          bytes.length,
          options('bpf_object_open_opts', {
            object_name: this.name.replace(/[^A-Za-z0-9_]/g, '_'),
            btf_custom_path: details.btf ?? null,
            kernel_log_buf: this.#verifierLog.address,
            kernel_log_size: VERIFIER_LOG_SIZE,
          }),
        );
        if (pointer === null) {
          throw new KscopeError('failed', `libbpf cannot open the BPF object of ${this.name}: ${errorText(errno())}`, {
            log: log.join('\n'),
          });
        }
        return pointer;
      });
      this.maps = new Map(this.#readMaps());
      this.programs = new Map(this.#readPrograms());
    } catch (error) {
      this.#verifierLog.close();
      throw error;
    }
    this.globals = new Globals<T['rodata']>(
      this.#spec.variables,
      (section, write) => this.#section(section, write),
      this.#context,
    );
  }

  /** @throws KscopeError failed when there is no such map */
  map<N extends keyof T['maps'] & string>(name: N): BpfMap<T['maps'][N]['key'], T['maps'][N]['value']>;
  /** The same, where only the caller knows the types. */
  map<K, V>(name: keyof T['maps'] & string): BpfMap<K, V>;
  map(name: string): BpfMap {
    const map = this.maps.get(name);
    if (map === undefined) {
      throw new KscopeError('failed', `the BPF object of ${this.name} has no map '${name}'`, { subject: name });
    }
    return map;
  }

  /** @throws KscopeError failed when there is no such program */
  program(name: T['programs']): BpfProgram {
    const program = this.programs.get(name);
    if (program === undefined) {
      throw new KscopeError('failed', `the BPF object of ${this.name} has no program '${name}'`, { subject: name });
    }
    return program;
  }

  /**
   * Loads maps and programs into the kernel. @throws KscopeError permission, unsupported or failed; `subject` is the
   * program that was refused, `log` what libbpf and the verifier said
   */
  load(): void {
    this.#expect('open', 'load');
    withLog((log) => {
      const result = libbpf.bpf_object__load(this.#pointer);
      if (result < 0) {
        throw this.#loadError(result, log);
      }
    });
    this.#state = 'loaded';
    this.#verifierLog.close();
  }

  /**
   * Attaches every loaded program where its section says, or only the ones named. @throws KscopeError, after which the
   * programs attached before stay so until `close`
   */
  attach(names?: Iterable<T['programs']>): BpfLink[] {
    this.#expect('loaded', 'attach');
    const programs =
      names === undefined
        ? [...this.programs.values()].filter((program) => program.autoload)
        : [...names].map((name) => this.program(name));
    return programs.map((program) => program.attach());
  }

  /** Detaches everything; maps and rings stay readable. */
  detach(): void {
    for (const link of this.#links.splice(0).reverse()) {
      link.close();
    }
  }

  /**
   * The reader of a ring buffer: rows of the struct that a marker `const struct T *const NAME_record SEC(".types")`
   * names, bytes without one. One reader per ring.
   * @param decode instead, for records that have more than the struct
   * @throws KscopeError failed
   */
  ring<N extends keyof T['events'] & string>(name: N): RingBuffer<T['events'][N]>;
  ring<R>(name: keyof T['events'] & string, decode?: Decoder<R>): RingBuffer<R>;
  ring<R>(name: string, decode?: Decoder<R>): RingBuffer<R> {
    this.#expect('loaded', 'read a ring buffer');
    let ring = this.#rings.get(name);
    if (ring === undefined) {
      const map = this.map(name);
      if (map.type !== RINGBUF) {
        throw new KscopeError('failed', `map ${name} is not a ring buffer`, { subject: name });
      }
      const schema = this.#spec.records.get(name);
      ring = new RingBuffer<Row>(
        name,
        map.fd,
        map.maxEntries,
        decode !== undefined
          ? (decode as unknown as Decoder<Row>)
          : schema === undefined
            ? ({ bytes }, offset, length) => Uint8Array.from(bytes.subarray(offset, offset + length)) as unknown as Row
            : compileDecoder<Row>(schema, this.#context),
        () => this.#refresh(),
        this.globals.has(`${name}_lost`) ? this.globals.counter(`${name}_lost`) : () => 0,
      );
      this.#rings.set(name, ring);
    }
    return ring as unknown as RingBuffer<R>;
  }

  /** Where a variable is, for code that is written at run time: after load. @throws KscopeError failed */
  variable(name: string): { readonly map: number; readonly offset: number } {
    this.#expect('loaded', 'tell where a variable is');
    const variable = this.#spec.variables.get(name);
    const map = variable === undefined ? undefined : this.#sectionMaps.get(variable.section);
    if (variable === undefined || map === undefined) {
      throw new KscopeError('failed', `the BPF object of ${this.name} has no variable '${name}'`, { subject: name });
    }
    return { map: libbpf.bpf_map__fd(map), offset: variable.offset };
  }

  /** Before load: leaves all maps out, those of variables included. */
  leaveOutMaps(): void {
    this.#expect('open', 'leave maps out');
    for (const pointer of this.#sectionMaps.values()) {
      libbpf.bpf_map__set_autocreate(pointer, false);
    }
    for (const map of this.maps.values()) {
      map.leaveOut();
    }
  }

  /**
   * Runs an iterator program once, and takes what it wrote as records: the structures of the marker
   * `const struct T *const NAME_record`, one behind the other. @throws KscopeError
   */
  iterate<R = Row>(program: T['programs'], record: keyof T['events'] & string): R[] {
    const schema = this.#spec.records.get(record);
    if (schema === undefined) {
      throw new KscopeError('failed', `there is no marker ${record}_record`, { subject: record });
    }
    this.#refresh();
    const bytes = this.program(program).iterate();
    const memory = memoryOf(bytes);
    const decode = compileDecoder<R>(schema, this.#context);
    const rows: R[] = [];
    for (let at = 0; at + schema.size <= bytes.length; at += schema.size) {
      rows.push(decode(memory, at, schema.size));
    }
    return rows;
  }

  /** The rings that have a reader. */
  get rings(): readonly Pick<RingBuffer<unknown>, 'name' | 'size' | 'peak'>[] {
    return [...this.#rings.values()];
  }

  /** Detaches, unmaps, unloads; may be called twice. */
  close(): void {
    if (this.#state === 'closed') {
      return;
    }
    this.#state = 'closed';
    this.detach();
    for (const ring of this.#rings.values()) {
      ring.close();
    }
    for (const memory of this.#sections.values()) {
      memory.close();
    }
    this.#sections.clear();
    for (const owned of [...this.programs.values(), ...this.maps.values()]) {
      owned.release();
    }
    libbpf.bpf_object__close(this.#pointer);
    this.#pointer = null;
    this.#verifierLog.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #refresh(): void {
    this.#context.bootToEpochMicros = bootToEpochMicros();
  }

  *#readMaps(): Generator<[string, BpfMap]> {
    for (let map = libbpf.bpf_object__next_map(this.#pointer, null); map !== null; ) {
      const name = libbpf.bpf_map__name(map);
      // Sections of variables are maps to libbpf, named after a cut object name.
      const section = /\.(rodata|data|bss|kconfig)$/.exec(name)?.[0];
      if (section === undefined) {
        const schemas = this.#spec.maps.get(name) ?? { key: undefined, value: undefined };
        yield [name, new BpfMap(name, map, schemas, this.#context, () => this.#refresh())];
      } else {
        this.#sectionMaps.set(section, map);
      }
      map = libbpf.bpf_object__next_map(this.#pointer, map);
    }
  }

  *#readPrograms(): Generator<[string, BpfProgram]> {
    const own = (link: BpfLink) => {
      this.#links.push(link);
      return link;
    };
    for (let program = libbpf.bpf_object__next_program(this.#pointer, null); program !== null; ) {
      const known = new BpfProgram(program, own);
      yield [known.name, known];
      program = libbpf.bpf_object__next_program(this.#pointer, program);
    }
  }

  /** Before load the initial contents, after load the programs' own memory. */
  #section(name: string, write: boolean): Uint8Array {
    const map = this.#sectionMaps.get(name);
    if (map === undefined || this.#state === 'closed') {
      throw new KscopeError('failed', `the variables of ${this.name} are not there any more`);
    }
    const size = libbpf.bpf_map__value_size(map);
    if (this.#state === 'open') {
      const address = libbpf.bpf_map__initial_value(map, new Uint8Array(8));
      if (address === null) {
        throw new KscopeError('failed', `the section ${name} of ${this.name} cannot be read before load`);
      }
      return viewMemory(address, size);
    }
    const constant = name === '.rodata';
    if (constant && write) {
      throw new KscopeError('failed', `the constants of ${this.name} cannot be changed after load`);
    }
    let memory = this.#sections.get(name);
    if (memory === undefined) {
      memory = MappedMemory.shared(libbpf.bpf_map__fd(map), 0, size, !constant);
      this.#sections.set(name, memory);
    }
    return new Uint8Array(memory.buffer);
  }

  #loadError(result: number, log: readonly string[]): KscopeError {
    const verifier = Buffer.from(this.#verifierLog.buffer);
    return explainLoadFailure({
      object: this.name,
      result,
      messages: log,
      verifierLog: verifier.toString('utf8', 0, Math.max(0, verifier.indexOf(0))),
      permitted: mayTrace() && (mayFilterPackets() || !this.#filtersPackets),
      btf: this.#btf,
    });
  }

  get #filtersPackets(): boolean {
    return [...this.programs.values()].some(({ autoload, section }) => autoload && loadedByNetworkAdmin(section));
  }

  #expect(state: State, what: string): void {
    if (this.#state !== state) {
      throw new KscopeError('failed', `cannot ${what}: the BPF object of ${this.name} is ${this.#state}`);
    }
  }
}
