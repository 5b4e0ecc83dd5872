/** capabilities(7) in the order of their numbers, which are the same everywhere and only get more. */
const names =
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE ' +
  'NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT ' +
  'SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE ' +
  'AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ ' +
  'PERFMON BPF CHECKPOINT_RESTORE';

const byNumber = names.split(' ').map((name) => `CAP_${name}`);

/** 'CAP_SYS_ADMIN' for 21; undefined for one that is younger than this list. */
export function capabilityName(number: number): string | undefined {
  return byNumber[number];
}

/** The number of a capability by its name, in any case and with or without 'CAP_'. */
export function capabilityNumber(name: string): number | undefined {
  const number = byNumber.indexOf(`CAP_${name.toUpperCase().replace(/^CAP_/, '')}`);
  return number < 0 ? undefined : number;
}
