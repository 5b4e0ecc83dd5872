import type { LibraryHandle, TypeObject } from 'koffi';
import { koffi } from './koffi.ts';
import { bind, type Memory, openLibbpf, type Pointer } from './library.ts';

// Option structs start with their own size; libbpf takes fields beyond a caller's size as zero, so the layouts of
// libbpf 1.0 serve every later release.
const optionFields = {
  bpf_object_open_opts: {
    object_name: 'const char *',
    relaxed_maps: 'bool',
    pin_root_path: 'const char *',
    reserved: 'uint32_t',
    kconfig: 'const char *',
    btf_custom_path: 'const char *',
    kernel_log_buf: 'void *',
    kernel_log_size: 'size_t',
    kernel_log_level: 'uint32_t',
  },
  bpf_kprobe_opts: { bpf_cookie: 'uint64_t', offset: 'size_t', retprobe: 'bool' },
  bpf_kprobe_multi_opts: {
    syms: 'void *',
    addrs: 'void *',
    cookies: 'void *',
    cnt: 'size_t',
    retprobe: 'bool',
  },
  bpf_tracepoint_opts: { bpf_cookie: 'uint64_t' },
  bpf_uprobe_opts: {
    ref_ctr_offset: 'size_t',
    bpf_cookie: 'uint64_t',
    retprobe: 'bool',
    func_name: 'const char *',
  },
  bpf_prog_load_opts: {
    attempts: 'int',
    expected_attach_type: 'int',
    prog_btf_fd: 'uint32_t',
    prog_flags: 'uint32_t',
    prog_ifindex: 'uint32_t',
    kern_version: 'uint32_t',
    attach_btf_id: 'uint32_t',
    attach_prog_fd: 'uint32_t',
    attach_btf_obj_fd: 'uint32_t',
  },
} satisfies Record<string, Record<string, string>>;

type Layout = keyof typeof optionFields;

let layouts: Record<Layout, TypeObject> | undefined;

/** Prototypes name them, so koffi has to know them all before the first one. */
function optionLayouts(): Record<Layout, TypeObject> {
  layouts ??= Object.fromEntries(
    Object.entries(optionFields).map(([name, fields]) => [name, koffi().struct(name, { sz: 'size_t', ...fields })]),
  ) as Record<Layout, TypeObject>;
  return layouts;
}

/** An option struct as koffi takes it: size first, absent fields zero. */
export function options<T extends object>(layout: Layout, given: T): object {
  const type = optionLayouts()[layout];
  const zero = Object.keys(type.members ?? {}).map((name) => [name, defaultOf(type.members?.[name]?.type.primitive)]);
  return { ...Object.fromEntries(zero), ...given, sz: type.size };
}

function defaultOf(primitive: string | undefined) {
  return primitive === 'Pointer' || primitive === 'String' ? null : primitive === 'Bool' ? false : 0;
}

/** The functions of libbpf that kscope calls. NULL and negative results are left as they are: see `lib/bpf`. */
export interface Libbpf {
  libbpf_version_string(): string;
  libbpf_set_print(callback: Pointer): Pointer;
  libbpf_num_possible_cpus(): number;
  bpf_object__open_mem(bytes: Uint8Array, size: number, options: object): Pointer;
  bpf_object__load(object: Pointer): number;
  bpf_object__close(object: Pointer): void;
  bpf_object__next_map(object: Pointer, previous: Pointer): Pointer;
  bpf_object__next_program(object: Pointer, previous: Pointer): Pointer;
  bpf_map__name(map: Pointer): string;
  bpf_map__fd(map: Pointer): number;
  bpf_map__type(map: Pointer): number;
  bpf_map__key_size(map: Pointer): number;
  bpf_map__value_size(map: Pointer): number;
  bpf_map__max_entries(map: Pointer): number;
  bpf_map__set_max_entries(map: Pointer, entries: number): number;
  bpf_map__set_value_size(map: Pointer, size: number): number;
  bpf_map__set_autocreate(map: Pointer, create: boolean): number;
  bpf_map__reuse_fd(map: Pointer, fd: number): number;
  bpf_map__initial_value(map: Pointer, size: Uint8Array): Pointer;
  bpf_program__name(program: Pointer): string;
  bpf_program__section_name(program: Pointer): string;
  bpf_program__type(program: Pointer): number;
  bpf_program__expected_attach_type(program: Pointer): number;
  bpf_program__fd(program: Pointer): number;
  bpf_program__autoload(program: Pointer): boolean;
  bpf_program__set_autoload(program: Pointer, load: boolean): number;
  bpf_program__set_attach_target(program: Pointer, targetProgram: number, name: string): number;
  bpf_program__set_type(program: Pointer, type: number): number;
  bpf_program__set_expected_attach_type(program: Pointer, type: number): number;
  bpf_program__set_insns(program: Pointer, instructions: Uint8Array, count: number): number;
  bpf_program__attach_trace(program: Pointer): Pointer;
  bpf_program__attach(program: Pointer): Pointer;
  bpf_program__attach_kprobe_opts(program: Pointer, name: string | null, options: object): Pointer;
  bpf_program__attach_kprobe_multi_opts(program: Pointer, pattern: string | null, options: object): Pointer;
  bpf_program__attach_uprobe_opts(
    program: Pointer,
    pid: number,
    file: string,
    offset: bigint | number,
    options: object,
  ): Pointer;
  bpf_program__attach_usdt(
    program: Pointer,
    pid: number,
    file: string,
    provider: string,
    name: string,
    options: null,
  ): Pointer;
  bpf_program__attach_tracepoint_opts(program: Pointer, category: string, name: string, options: object): Pointer;
  bpf_program__attach_raw_tracepoint(program: Pointer, name: string): Pointer;
  bpf_program__attach_perf_event(program: Pointer, fd: number): Pointer;
  bpf_program__attach_iter(program: Pointer, options: null): Pointer;
  bpf_program__attach_cgroup(program: Pointer, cgroup: number): Pointer;
  bpf_program__attach_xdp(program: Pointer, interfaceIndex: number): Pointer;
  bpf_link__fd(link: Pointer): number;
  bpf_link__disconnect(link: Pointer): void;
  bpf_link__destroy(link: Pointer): number;
  bpf_map_lookup_elem(fd: number, key: Uint8Array, value: Uint8Array): number;
  bpf_map_lookup_and_delete_elem(fd: number, key: Uint8Array, value: Uint8Array): number;
  bpf_map_update_elem(fd: number, key: Uint8Array | null, value: Uint8Array, flags: number): number;
  bpf_map_delete_elem(fd: number, key: Uint8Array): number;
  bpf_map_get_next_key(fd: number, key: Memory, next: Uint8Array): number;
  bpf_map_lookup_batch(
    fd: number,
    from: Memory,
    to: Uint8Array,
    keys: Uint8Array,
    values: Uint8Array,
    count: Uint8Array,
    options: null,
  ): number;
  bpf_map_lookup_and_delete_batch: Libbpf['bpf_map_lookup_batch'];
  bpf_map_create(
    type: number,
    name: string | null,
    keySize: number,
    valueSize: number,
    entries: number,
    options: null,
  ): number;
  bpf_prog_load(
    type: number,
    name: string | null,
    license: string,
    instructions: Uint8Array,
    count: bigint | number,
    options: object,
  ): number;
  bpf_raw_tracepoint_open(name: string | null, program: number): number;
  bpf_link_create(program: number, target: number, attachType: number, options: Uint8Array): number;
  bpf_obj_get(path: string): number;
  bpf_iter_create(link: number): number;
  bpf_enable_stats(type: number): number;
  bpf_obj_get_info_by_fd(fd: number, info: Uint8Array, length: Uint8Array): number;
  bpf_prog_get_fd_by_id(id: number): number;
  bpf_map_get_fd_by_id(id: number): number;
  bpf_prog_get_next_id(start: number, next: Uint8Array): number;
}

let print: TypeObject | undefined;

function printType(): TypeObject {
  print ??= koffi().proto('int libbpf_print(int level, void *format, void *arguments)');
  return print;
}

function openWithOptions(): LibraryHandle {
  const library = openLibbpf();
  optionLayouts();
  printType();
  return library;
}

export const libbpf = bind<Libbpf>(openWithOptions, {
  libbpf_version_string: 'const char *libbpf_version_string()',
  libbpf_set_print: 'void *libbpf_set_print(libbpf_print *callback)',
  libbpf_num_possible_cpus: 'int libbpf_num_possible_cpus()',
  bpf_object__open_mem: 'void *bpf_object__open_mem(const void *bytes, size_t size, bpf_object_open_opts *options)',
  bpf_object__load: 'int bpf_object__load(void *object)',
  bpf_object__close: 'void bpf_object__close(void *object)',
  bpf_object__next_map: 'void *bpf_object__next_map(void *object, void *previous)',
  bpf_object__next_program: 'void *bpf_object__next_program(void *object, void *previous)',
  bpf_map__name: 'const char *bpf_map__name(void *map)',
  bpf_map__fd: 'int bpf_map__fd(void *map)',
  bpf_map__type: 'int bpf_map__type(void *map)',
  bpf_map__key_size: 'uint32_t bpf_map__key_size(void *map)',
  bpf_map__value_size: 'uint32_t bpf_map__value_size(void *map)',
  bpf_map__max_entries: 'uint32_t bpf_map__max_entries(void *map)',
  bpf_map__set_max_entries: 'int bpf_map__set_max_entries(void *map, uint32_t entries)',
  bpf_map__set_value_size: 'int bpf_map__set_value_size(void *map, uint32_t size)',
  bpf_map__set_autocreate: 'int bpf_map__set_autocreate(void *map, bool create)',
  bpf_map__reuse_fd: 'int bpf_map__reuse_fd(void *map, int fd)',
  bpf_map__initial_value: 'void *bpf_map__initial_value(void *map, void *size)',
  bpf_program__name: 'const char *bpf_program__name(void *program)',
  bpf_program__section_name: 'const char *bpf_program__section_name(void *program)',
  bpf_program__type: 'int bpf_program__type(void *program)',
  bpf_program__expected_attach_type: 'int bpf_program__expected_attach_type(void *program)',
  bpf_program__fd: 'int bpf_program__fd(void *program)',
  bpf_program__autoload: 'bool bpf_program__autoload(void *program)',
  bpf_program__set_autoload: 'int bpf_program__set_autoload(void *program, bool load)',
  bpf_program__set_attach_target: 'int bpf_program__set_attach_target(void *program, int target, const char *name)',
  bpf_program__set_type: 'int bpf_program__set_type(void *program, int type)',
  bpf_program__set_insns: 'int bpf_program__set_insns(void *program, const void *instructions, size_t count)',
  bpf_program__attach_trace: 'void *bpf_program__attach_trace(void *program)',
  bpf_program__set_expected_attach_type: 'int bpf_program__set_expected_attach_type(void *program, int type)',
  bpf_program__attach: 'void *bpf_program__attach(void *program)',
  bpf_program__attach_kprobe_opts:
    'void *bpf_program__attach_kprobe_opts(void *program, const char *name, bpf_kprobe_opts *options)',
  bpf_program__attach_kprobe_multi_opts:
    'void *bpf_program__attach_kprobe_multi_opts(void *program, const char *pattern, bpf_kprobe_multi_opts *options)',
  bpf_program__attach_uprobe_opts:
    'void *bpf_program__attach_uprobe_opts(void *program, int pid, const char *file, size_t offset, bpf_uprobe_opts *options)',
  bpf_program__attach_usdt:
    'void *bpf_program__attach_usdt(void *program, int pid, const char *file, const char *provider, const char *name, void *options)',
  bpf_program__attach_tracepoint_opts:
    'void *bpf_program__attach_tracepoint_opts(void *program, const char *category, const char *name, ' +
    'bpf_tracepoint_opts *options)',
  bpf_program__attach_raw_tracepoint: 'void *bpf_program__attach_raw_tracepoint(void *program, const char *name)',
  bpf_program__attach_perf_event: 'void *bpf_program__attach_perf_event(void *program, int fd)',
  bpf_program__attach_iter: 'void *bpf_program__attach_iter(void *program, void *options)',
  bpf_program__attach_cgroup: 'void *bpf_program__attach_cgroup(void *program, int cgroup)',
  bpf_program__attach_xdp: 'void *bpf_program__attach_xdp(void *program, int interface_index)',
  bpf_link__fd: 'int bpf_link__fd(void *link)',
  bpf_link__disconnect: 'void bpf_link__disconnect(void *link)',
  bpf_link__destroy: 'int bpf_link__destroy(void *link)',
  bpf_map_lookup_elem: 'int bpf_map_lookup_elem(int fd, const void *key, void *value)',
  bpf_map_lookup_and_delete_elem: 'int bpf_map_lookup_and_delete_elem(int fd, const void *key, void *value)',
  bpf_map_update_elem: 'int bpf_map_update_elem(int fd, const void *key, const void *value, uint64_t flags)',
  bpf_map_delete_elem: 'int bpf_map_delete_elem(int fd, const void *key)',
  bpf_map_get_next_key: 'int bpf_map_get_next_key(int fd, const void *key, void *next)',
  bpf_map_lookup_batch:
    'int bpf_map_lookup_batch(int fd, void *from, void *to, void *keys, void *values, void *count, void *options)',
  bpf_map_lookup_and_delete_batch:
    'int bpf_map_lookup_and_delete_batch(int fd, void *from, void *to, void *keys, void *values, void *count, void *options)',
  bpf_map_create:
    'int bpf_map_create(int type, const char *name, uint32_t key_size, uint32_t value_size, uint32_t entries, void *options)',
  bpf_prog_load:
    'int bpf_prog_load(int type, const char *name, const char *license, const void *instructions, size_t count, bpf_prog_load_opts *options)',
  bpf_raw_tracepoint_open: 'int bpf_raw_tracepoint_open(const char *name, int program)',
  bpf_link_create: 'int bpf_link_create(int program, int target, int attach_type, void *options)',
  bpf_obj_get: 'int bpf_obj_get(const char *path)',
  bpf_iter_create: 'int bpf_iter_create(int link)',
  bpf_enable_stats: 'int bpf_enable_stats(int type)',
  bpf_obj_get_info_by_fd: 'int bpf_obj_get_info_by_fd(int fd, void *info, void *length)',
  bpf_prog_get_fd_by_id: 'int bpf_prog_get_fd_by_id(uint32_t id)',
  bpf_map_get_fd_by_id: 'int bpf_map_get_fd_by_id(uint32_t id)',
  bpf_prog_get_next_id: 'int bpf_prog_get_next_id(uint32_t start, void *next)',
});

/** Keeps a JavaScript function callable from libbpf for the life of the process. */
export function printCallback(callback: (level: number, format: bigint, args: bigint) => number): bigint {
  return koffi().register(callback, koffi().pointer(printType()));
}
