const classic: Readonly<Record<number, string>> = {
  0: 'TRACEME',
  1: 'PEEKTEXT',
  2: 'PEEKDATA',
  3: 'PEEKUSR',
  4: 'POKETEXT',
  5: 'POKEDATA',
  6: 'POKEUSR',
  7: 'CONT',
  8: 'KILL',
  9: 'SINGLESTEP',
  12: 'GETREGS',
  13: 'SETREGS',
  14: 'GETFPREGS',
  15: 'SETFPREGS',
  16: 'ATTACH',
  17: 'DETACH',
  24: 'SYSCALL',
  30: 'ARCH_PRCTL',
  31: 'SYSEMU',
  32: 'SYSEMU_SINGLESTEP',
  33: 'SINGLEBLOCK',
};
const FIRST_OF_OTHERS = 0x4200;
const others =
  'SETOPTIONS GETEVENTMSG GETSIGINFO SETSIGINFO GETREGSET SETREGSET SEIZE INTERRUPT LISTEN PEEKSIGINFO GETSIGMASK ' +
  'SETSIGMASK SECCOMP_GET_FILTER SECCOMP_GET_METADATA GET_SYSCALL_INFO GET_RSEQ_CONFIGURATION ' +
  'SET_SYSCALL_USER_DISPATCH_CONFIG GET_SYSCALL_USER_DISPATCH_CONFIG SET_SYSCALL_INFO';
const names = others.split(' ');

/** 'PTRACE_ATTACH' for 16, as ptrace(2) has them; its number for one without a name here. */
export function ptraceRequest(number: number): string {
  const name = classic[number] ?? names[number - FIRST_OF_OTHERS];
  return name === undefined ? `PTRACE_0x${number.toString(16)}` : `PTRACE_${name}`;
}
