import { BtfBuilder } from './btf-builder.ts';

/** BTF with every kind in it, and with a structure 'event' that has a member of nearly every shape. */
export function everyKind(): Buffer {
  const b = new BtfBuilder();
  const u8 = b.int('unsigned char', 1);
  const u16 = b.int('unsigned short', 2);
  const s32 = b.int('int', 4, { signed: true });
  const u32 = b.int('unsigned int', 4);
  const u64 = b.int('unsigned long long', 8);
  const s64 = b.int('long long', 8, { signed: true });
  const char = b.int('char', 1, { signed: true });
  const bool = b.int('_Bool', 1, { bool: true });
  const double = b.float('double', 8);
  const state = b.enum('state', { IDLE: 0, BUSY: 5 });
  const big = b.enum64('big', { ONE: 1n, TOP: 2n ** 63n });
  const inner = b.struct('inner', 8, [
    { name: 'code', type: u32, bitOffset: 0, bits: 0 },
    { name: 'low', type: u16, bitOffset: 32, bits: 3 },
    { name: 'high', type: u16, bitOffset: 35, bits: 13 },
    { name: 'ok', type: bool, bitOffset: 48, bits: 1 },
  ]);
  const spread = b.union('', 8, [
    { name: 'word', type: u32, bitOffset: 0 },
    { name: 'wide', type: u64, bitOffset: 0 },
  ]);
  const typedef = (name: string, type: number): number => b.typedef(name, type);
  const event = b.struct('event', 344, [
    { name: 'time', type: typedef('boot_ns_t', typedef('__u64', u64)), bitOffset: 0 },
    { name: 'pid', type: typedef('pid_t', s32), bitOffset: 64 },
    { name: 'fd', type: typedef('fd_t', s32), bitOffset: 96 },
    { name: 'comm', type: b.array(typedef('comm_t', char), 16), bitOffset: 128 },
    { name: 'addr', type: b.array(typedef('ip_t', u8), 16), bitOffset: 256 },
    { name: 'ip', type: typedef('ip4_t', u32), bitOffset: 384 },
    { name: 'dev', type: typedef('dev_t', u32), bitOffset: 416 },
    { name: 'where', type: typedef('addr_t', u64), bitOffset: 448 },
    { name: 'raw', type: b.const(b.volatile(s64)), bitOffset: 512 },
    { name: 'ok', type: bool, bitOffset: 576 },
    { name: 'letters', type: b.array(char, 7), bitOffset: 584 },
    { name: 'state', type: state, bitOffset: 640 },
    { name: 'small', type: u16, bitOffset: 672 },
    { name: '_pad', type: u16, bitOffset: 688 },
    { name: 'big', type: big, bitOffset: 704 },
    { name: 'inner', type: inner, bitOffset: 768 },
    { name: 'grid', type: b.array(b.array(u16, 2), 2), bitOffset: 832 },
    { name: '', type: spread, bitOffset: 896 },
    { name: 'ratio', type: double, bitOffset: 960 },
    { name: 'next', type: b.pointer(b.restrict(b.forward('hidden', 'struct'))), bitOffset: 1024 },
    { name: 'slots', type: b.array(typedef('slot_t', u64), 4), bitOffset: 1088 },
    { name: 'many', type: b.array(inner, 2), bitOffset: 1344 },
    { name: 'cgroup', type: b.typeTag('kernel', typedef('cgroup_id_t', u64)), bitOffset: 1472 },
    { name: 'path', type: b.array(typedef('path_t', char), 152), bitOffset: 1536 },
  ]);
  const variable = b.variable('event', event);
  b.dataSection('.bss', 344, [[variable, 0, 344]]);
  b.function('main', b.prototype(s32, [{ name: 'context', type: b.pointer(0) }]));
  b.declTag('hot', event, 0);
  return b.build();
}
