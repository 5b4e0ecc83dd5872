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
  'openjdk-17-jre-headless',
  'postgresql-15',
  'python3.11',
  'strace',
  'zsh',
] as const;
