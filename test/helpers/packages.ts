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
  'php8.2-cli',
  'postgresql-15',
  'python3.11',
  'ruby3.1',
  'strace',
  'tcpdump',
  'zsh',
] as const;
