import { helpers } from './value-writer.ts';

const SIZE = 8;
const LOAD_64_BITS = 0x18;
const VALUE_OF_MAP = 2;
const CALL = 0x85;
const EXIT = 0x95;

/** What the lowest bits of an instruction say that it is. */
const kinds = { load: 1, storeNumber: 2, store: 3, compute32: 4, jump: 5, jump32: 6, compute: 7 } as const;
const FROM_REGISTER = 0x08;
const ATOMIC = 0xc0;

const widths = ['u32', 'u16', 'u8', 'u64'];
const operations = ['+', '-', '*', '/', '|', '&', '<<', '>>', '', '%', '^', '', 's>>'];
const conditions = ['', '==', '>', '>=', '&', '!=', 's>', 's>=', '', '', '<', '<=', 's<', 's<='];
const [JUMP, NEGATE, MOVE] = [0, 8, 11];

const helperNames: Readonly<Record<keyof typeof helpers, string>> = {
  mapLookup: 'map_lookup_elem',
  mapUpdate: 'map_update_elem',
  mapDelete: 'map_delete_elem',
  ktime: 'ktime_get_ns',
  cpu: 'get_smp_processor_id',
  currentPidTgid: 'get_current_pid_tgid',
  currentUidGid: 'get_current_uid_gid',
  currentComm: 'get_current_comm',
  stackId: 'get_stackid',
  currentTask: 'get_current_task',
  currentUnderCgroup: 'current_task_under_cgroup',
  currentCgroupId: 'get_current_cgroup_id',
  readUser: 'probe_read_user',
  readKernel: 'probe_read_kernel',
  readUserText: 'probe_read_user_str',
  readKernelText: 'probe_read_kernel_str',
  bootTime: 'ktime_get_boot_ns',
  ringReserve: 'ringbuf_reserve',
  ringSubmit: 'ringbuf_submit',
};
const names = new Map(
  Object.entries(helperNames).map(([name, told]) => [helpers[name as keyof typeof helpers] as number, `bpf_${told}`]),
);

/** An instruction for people; those that load 64 bits take two numbers. */
export interface ShownInstruction {
  readonly index: number;
  readonly instruction: string;
}

/** BPF instructions in the notation of the kernel's verifier. @param mapName what a map is called, by its descriptor */
export function disassemble(code: Uint8Array, mapName: (fd: number) => string): ShownInstruction[] {
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  const shown: ShownInstruction[] = [];
  for (let at = 0; at + SIZE <= code.length; at += SIZE) {
    const index = at / SIZE;
    const isWide = view.getUint8(at) === LOAD_64_BITS && at + 2 * SIZE <= code.length;
    shown.push({ index, instruction: isWide ? wide(view, at, mapName) : one(view, at, index) });
    at += isWide ? SIZE : 0;
  }
  return shown;
}

function wide(view: DataView, at: number, mapName: (fd: number) => string): string {
  const [to, kind] = [view.getUint8(at + 1) & 0xf, view.getUint8(at + 1) >> 4];
  const [low, high] = [view.getInt32(at + 4, true), view.getInt32(at + 4 + SIZE, true)];
  if (kind === 0) {
    return `r${to} = 0x${((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)).toString(16)}`;
  }
  return kind === VALUE_OF_MAP ? `r${to} = value of ${mapName(low)}${signed(high)}` : `r${to} = map ${mapName(low)}`;
}

function one(view: DataView, at: number, index: number): string {
  const code = view.getUint8(at);
  const [to, from] = [view.getUint8(at + 1) & 0xf, view.getUint8(at + 1) >> 4];
  const offset = view.getInt16(at + 2, true);
  const value = view.getInt32(at + 4, true);
  const by = (code & FROM_REGISTER) !== 0 ? `r${from}` : `${value}`;
  const place = (base: number) => `*(${widths[(code >> 3) & 3]} *)(r${base}${signed(offset)})`;
  const kind = code & 7;
  const operation = code >> 4;
  if (code === EXIT) {
    return 'exit';
  }
  if (code === CALL) {
    return `call ${names.get(value) ?? value}`;
  }
  switch (kind) {
    case kinds.load:
      return `r${to} = ${place(from)}`;
    case kinds.storeNumber:
      return `${place(to)} = ${value}`;
    case kinds.store:
      return (code & 0xe0) === ATOMIC ? `lock ${place(to)} += r${from}` : `${place(to)} = r${from}`;
    case kinds.jump:
    case kinds.jump32: {
      const target = `goto ${index + 1 + offset}`;
      const left = `${kind === kinds.jump32 ? 'w' : 'r'}${to}`;
      return operation === JUMP ? target : `if ${left} ${conditions[operation] || '?'} ${by} ${target}`;
    }
    case kinds.compute:
    case kinds.compute32: {
      const left = `${kind === kinds.compute32 ? 'w' : 'r'}${to}`;
      const right = kind === kinds.compute32 ? by.replace('r', 'w') : by;
      if (operation === NEGATE) {
        return `${left} = -${left}`;
      }
      return operation === MOVE ? `${left} = ${right}` : `${left} ${operations[operation] || '?'}= ${right}`;
    }
    default:
      return `0x${code.toString(16)}`;
  }
}

function signed(offset: number): string {
  return offset < 0 ? ` - ${-offset}` : ` + ${offset}`;
}
