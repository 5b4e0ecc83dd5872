/**
 * Debian packages whose programs tests compare with, or that read what the build writes. A test does without by skipping.
 */
export const witnessPackages = [
  'bpftrace',
  'chromium',
  'fish',
  'groff',
  'libbpf-tools',
  'mandoc',
  'postgresql-15',
  'strace',
  'zsh',
] as const;
