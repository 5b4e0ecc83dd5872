import { KscopeError } from '../model/errors.ts';
import type { DecodeContext } from '../model/types.ts';
import { libbpf } from '../native/libbpf.ts';
import { errorText, libc } from '../native/libc.ts';
import type { Pointer } from '../native/library.ts';
import { compileDecoder, compileEncoder, type Decoder, type Encoder, type Memory, memoryOf } from './decoder.ts';
import type { RowSchema, ValueSchema } from './schema.ts';

/** BPF_MAP_TYPE_*, as far as kscope tells them apart. */
const PER_CPU = new Set([5, 6, 10, 21]);
/** Those that hold as many entries as were put in: hashes of all kinds, tries and stack traces. */
const FILLED = new Set([1, 5, 7, 9, 10, 11, 13]);
export const RINGBUF = 27;

const ENOENT = -2;
const ENOSPC = -28;
const NOT_SUPPORTED = new Set([-22, -95, -524]);
const BATCH = 4096;

export interface MapSchemas {
  readonly key: RowSchema | ValueSchema | undefined;
  readonly value: RowSchema | ValueSchema | undefined;
}

/**
 * A BPF map. Keys and values are what the C types say (a struct is an object with the C names); without type
 * information they are bytes. Values of per-CPU maps are arrays with one element for each possible CPU.
 */
export class BpfMap<K = unknown, V = unknown> {
  readonly name: string;
  /** BPF_MAP_TYPE_*. */
  readonly type: number;
  #native: Pointer;
  readonly #schemas: MapSchemas;
  readonly #context: DecodeContext;
  readonly #refresh: () => void;
  #codec: Codec<K, V> | undefined;

  /** @param refresh called before all entries are read, to bring `context` up to date */
  constructor(name: string, pointer: bigint, schemas: MapSchemas, context: DecodeContext, refresh: () => void) {
    this.name = name;
    this.#native = pointer;
    this.#schemas = schemas;
    this.#context = context;
    this.#refresh = refresh;
    this.type = libbpf.bpf_map__type(pointer);
  }

  /** Before load: the kernel does not get it. */
  leaveOut(): void {
    this.#check(libbpf.bpf_map__set_autocreate(this.#pointer, false), 'cannot be left out');
  }

  /** Descriptor; negative before load and after close. */
  get fd(): number {
    return this.#native === null ? -1 : libbpf.bpf_map__fd(this.#native);
  }

  get keySize(): number {
    return libbpf.bpf_map__key_size(this.#pointer);
  }

  /** Bytes of one value; of one CPU's value in a per-CPU map. */
  get valueSize(): number {
    return libbpf.bpf_map__value_size(this.#pointer);
  }

  /** Before load, for a map whose values have no type. @throws KscopeError failed */
  set valueSize(bytes: number) {
    this.#check(libbpf.bpf_map__set_value_size(this.#pointer, bytes), 'cannot be resized');
  }

  get perCpu(): boolean {
    return PER_CPU.has(this.type);
  }

  /**
   * How many entries there are, at most `maxEntries`; about, while programs add and delete. Undefined for arrays, which
   * are always full, for rings, and before load. Takes a system call for each entry.
   */
  get entryCount(): number | undefined {
    if (!FILLED.has(this.type) || this.fd < 0) {
      return undefined;
    }
    let key = new Uint8Array(this.keySize);
    let next = new Uint8Array(this.keySize);
    let count = 0;
    for (let from: Uint8Array | null = null; count < this.maxEntries; count++) {
      if (libbpf.bpf_map_get_next_key(this.fd, from, next) < 0) {
        break;
      }
      [key, next] = [next, key];
      from = key;
    }
    return count;
  }

  /** Entries that fit; bytes for a ring buffer. */
  get maxEntries(): number {
    return libbpf.bpf_map__max_entries(this.#pointer);
  }

  /** Before load. @throws KscopeError failed */
  set maxEntries(entries: number) {
    this.#check(libbpf.bpf_map__set_max_entries(this.#pointer, entries), 'cannot be resized');
  }

  /** Before load: uses a map that is pinned in a BPF file system instead of a new one. @throws KscopeError usage */
  reusePinned(path: string): void {
    const fd = libbpf.bpf_obj_get(path);
    if (fd < 0) {
      throw new KscopeError('usage', `cannot open the pinned map '${path}': ${errorText(fd)}`, {
        hint: 'give the path of a map below /sys/fs/bpf',
      });
    }
    const result = libbpf.bpf_map__reuse_fd(this.#pointer, fd);
    libc.close(fd);
    if (result < 0) {
      throw new KscopeError('usage', `'${path}' is not a map that fits ${this.name}: ${errorText(result)}`);
    }
  }

  /** @returns undefined when there is no such key. @throws KscopeError failed */
  get(key: K): V | undefined {
    const codec = this.#codecs();
    const result = libbpf.bpf_map_lookup_elem(this.fd, codec.keyOf(key), codec.value);
    if (result === ENOENT) {
      return undefined;
    }
    this.#check(result, 'cannot be read');
    return codec.decodeValue(codec.valueMemory, 0);
  }

  /** Creates or replaces an entry. @throws KscopeError failed, for one when the map is full */
  set(key: K, value: V): void {
    const codec = this.#codecs();
    this.#check(libbpf.bpf_map_update_elem(this.fd, codec.keyOf(key), codec.valueOf(value), 0), 'cannot be written');
  }

  /** Puts a value into a queue or a stack. @throws KscopeError failed, for one when the map is full */
  push(value: V): void {
    this.#check(libbpf.bpf_map_update_elem(this.fd, null, this.#codecs().valueOf(value), 0), 'cannot be written');
  }

  /** @returns false when there was no such key. @throws KscopeError failed */
  delete(key: K): boolean {
    const result = libbpf.bpf_map_delete_elem(this.fd, this.#codecs().keyOf(key));
    if (result === ENOENT) {
      return false;
    }
    this.#check(result, 'cannot be written');
    return true;
  }

  /** All entries, read in batches where the kernel can; entries that come and go meanwhile may or may not be there. */
  entries(): [K, V][] {
    this.#refresh();
    return this.#batches(false) ?? this.#walk(false);
  }

  /**
   * Takes all entries out of the map. An increment between the reading and the deletion of one entry is lost only on
   * kernels without batch operations (before 5.6).
   */
  drain(): [K, V][] {
    this.#refresh();
    return this.#batches(true) ?? this.#walk(true);
  }

  [Symbol.iterator](): Iterator<[K, V]> {
    return this.entries()[Symbol.iterator]();
  }

  /** Called by the object when it is closed: from then on there is no map. */
  release(): void {
    this.#native = null;
  }

  /** Of a closed object nothing is left to point to. @throws KscopeError failed */
  get #pointer(): bigint {
    if (this.#native === null) {
      throw new KscopeError('failed', `map ${this.name}: its object is closed`, { subject: this.name });
    }
    return this.#native;
  }

  #batches(remove: boolean): [K, V][] | undefined {
    const codec = this.#codecs();
    const read = remove ? libbpf.bpf_map_lookup_and_delete_batch : libbpf.bpf_map_lookup_batch;
    const found: [K, V][] = [];
    let size = Math.min(this.maxEntries, BATCH);
    let keys = Buffer.alloc(size * codec.keyBytes);
    let values = Buffer.alloc(size * codec.valueBytes);
    const count = new Uint32Array(1);
    // A hash map's position is a bucket number, an array's is a key.
    let from: Uint8Array | null = null;
    let to = new Uint8Array(Math.max(codec.keyBytes, 4));
    for (;;) {
      count[0] = size;
      const result = read(this.fd, from, to, keys, values, new Uint8Array(count.buffer), null);
      if (result < 0 && NOT_SUPPORTED.has(result) && from === null) {
        return undefined;
      }
      if (result === ENOSPC) {
        // One bucket has more entries than the buffers hold.
        size *= 2;
        keys = Buffer.alloc(size * codec.keyBytes);
        values = Buffer.alloc(size * codec.valueBytes);
        continue;
      }
      if (result < 0 && result !== ENOENT) {
        this.#check(result, 'cannot be read');
      }
      const keyMemory = memoryOf(keys);
      const valueMemory = memoryOf(values);
      for (let i = 0; i < (count[0] ?? 0); i++) {
        found.push([
          codec.decodeKey(keyMemory, i * codec.keyBytes, codec.keyBytes),
          codec.decodeValue(valueMemory, i * codec.valueBytes),
        ]);
      }
      if (result === ENOENT) {
        return found;
      }
      from = to;
      to = new Uint8Array(to.length);
    }
  }

  #walk(remove: boolean): [K, V][] {
    const codec = this.#codecs();
    const found: [K, V][] = [];
    const keys: Uint8Array[] = [];
    let key: Uint8Array | null = null;
    for (;;) {
      const next = new Uint8Array(codec.keyBytes);
      const result = libbpf.bpf_map_get_next_key(this.fd, key, next);
      if (result === ENOENT || keys.length > this.maxEntries) {
        break;
      }
      this.#check(result, 'cannot be read');
      keys.push(next);
      key = next;
    }
    for (const one of keys) {
      if (libbpf.bpf_map_lookup_elem(this.fd, one, codec.value) === 0) {
        found.push([codec.decodeKey(memoryOf(one), 0, codec.keyBytes), codec.decodeValue(codec.valueMemory, 0)]);
        const deleted = remove ? libbpf.bpf_map_delete_elem(this.fd, one) : 0;
        if (deleted !== ENOENT) {
          this.#check(deleted, 'cannot be emptied');
        }
      }
    }
    return found;
  }

  #codecs(): Codec<K, V> {
    if (libbpf.bpf_map__fd(this.#pointer) < 0) {
      throw new KscopeError('failed', `map ${this.name} is not loaded`, { subject: this.name });
    }
    this.#codec ??= new Codec(this.#schemas, this.keySize, this.valueSize, this.perCpu, this.#context);
    return this.#codec;
  }

  #check(result: number, what: string): void {
    if (result < 0) {
      const code = result === -1 || result === -13 ? 'permission' : 'failed';
      throw new KscopeError(code, `map ${this.name} ${what}: ${errorText(result)}`, { subject: this.name });
    }
  }
}

/** How many values a per-CPU map has for a key. @throws KscopeError unsupported */
function possibleCpus(): number {
  const count = libbpf.libbpf_num_possible_cpus();
  if (count < 0) {
    throw new KscopeError('unsupported', `nothing tells how many processors there may be: ${errorText(-count)}`, {
      hint: 'libbpf reads /sys/devices/system/cpu/possible',
    });
  }
  return count;
}

/** Buffers and converters of one map. */
class Codec<K, V> {
  readonly keyBytes: number;
  /** Bytes that one look-up fills: the values of all CPUs in a per-CPU map, each rounded up to 8. */
  readonly valueBytes: number;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly valueMemory: Memory;
  readonly decodeKey: Decoder<K>;
  readonly #decodeOne: Decoder<V>;
  readonly #encodeKey: Encoder<K>;
  readonly #encodeValue: Encoder<V>;
  readonly #cpus: number;
  readonly #stride: number;

  constructor(schemas: MapSchemas, keySize: number, valueSize: number, perCpu: boolean, context: DecodeContext) {
    this.#cpus = perCpu ? possibleCpus() : 0;
    this.#stride = perCpu ? (valueSize + 7) & ~7 : valueSize;
    this.keyBytes = keySize;
    this.valueBytes = perCpu ? this.#stride * this.#cpus : valueSize;
    this.key = new Uint8Array(keySize);
    this.value = new Uint8Array(this.valueBytes);
    this.valueMemory = memoryOf(this.value);
    this.decodeKey = decoderOf(schemas.key, context);
    this.#decodeOne = decoderOf(schemas.value, context);
    this.#encodeKey = encoderOf(schemas.key, keySize, context);
    this.#encodeValue = encoderOf(schemas.value, valueSize, context);
  }

  keyOf(key: K): Uint8Array {
    this.#encodeKey(key, this.key);
    return this.key;
  }

  valueOf(value: V): Uint8Array {
    if (this.#cpus === 0) {
      this.#encodeValue(value, this.value);
    } else {
      const values = value as unknown as readonly V[];
      if (!Array.isArray(values) || values.length !== this.#cpus) {
        throw new KscopeError('failed', `a value of a per-CPU map is an array of ${this.#cpus} values`);
      }
      for (let cpu = 0; cpu < this.#cpus; cpu++) {
        this.#encodeValue(values[cpu] as V, this.value, cpu * this.#stride);
      }
    }
    return this.value;
  }

  decodeValue(memory: Memory, offset: number): V {
    const size = this.#stride;
    if (this.#cpus === 0) {
      return this.#decodeOne(memory, offset, size);
    }
    return Array.from({ length: this.#cpus }, (_, cpu) =>
      this.#decodeOne(memory, offset + cpu * size, size),
    ) as unknown as V;
  }
}

function decoderOf<T>(schema: RowSchema | ValueSchema | undefined, context: DecodeContext): Decoder<T> {
  return schema === undefined
    ? (memory, offset, length) => Uint8Array.from(memory.bytes.subarray(offset, offset + length)) as T
    : compileDecoder<T>(schema, context);
}

function encoderOf<T>(schema: RowSchema | ValueSchema | undefined, size: number, context: DecodeContext): Encoder<T> {
  return schema === undefined
    ? (value, into, offset = 0) => {
        if (!(value instanceof Uint8Array) || value.length !== size) {
          throw new KscopeError('failed', `what has no type takes ${size} bytes`);
        }
        into.set(value, offset);
      }
    : compileEncoder<T>(schema, context);
}
