/** What the tools are about, in the order in which they are listed. */
export const areas = {
  processes: 'Processes and their rights',
  processors: 'Processors and waiting',
  memory: 'Memory',
  files: 'Files and file systems',
  disks: 'Disks',
  network: 'Network',
  programs: 'Languages, databases and libraries',
  kernel: 'The kernel itself',
  probes: 'Functions and events of your choice',
  other: 'Other',
} as const;

export type Area = keyof typeof areas;
