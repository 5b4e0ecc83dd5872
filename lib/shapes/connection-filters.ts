import { networkNamespace } from '../system/network-namespaces.ts';
import { choice, flag, integer, list, type Option, parseInteger } from './options.ts';

const filter = { group: 'filter' } as const;

/** Which IP is spoken; for programs that include `bpf/include/tcp.h`. An IPv6 socket with IPv4 addresses speaks IPv4. */
export const familyFilters = {
  ipv4: flag('-4, --ipv4', 'only IPv4', { ...filter, set: 'filter_family', encode: () => 4, conflicts: ['ipv6'] }),
  ipv6: flag('-6, --ipv6', 'only IPv6', { ...filter, set: 'filter_family', encode: () => 6 }),
  family: choice('--family <VERSION>', 'only this version of IP', ['4', '6'], {
    ...filter,
    set: 'filter_family',
    encode: Number,
    unlisted: true,
    conflicts: ['ipv4', 'ipv6'],
  }),
};

/** The network namespace that something happens in; for programs that declare `filter_netns`. */
export const namespaceFilters = {
  netns: integer('-n, --netns <INODE>', 'only this network namespace, by its inode', {
    ...filter,
    set: 'filter_netns',
    min: 1,
    max: 2 ** 32 - 1,
    hidden: ['--netns-id'],
    conflicts: ['netnsOf'],
  }),
  netnsOf: integer('--pid-netns <PID>', 'only the network namespace of this process', {
    ...filter,
    set: 'filter_netns',
    min: 1,
    encode: (pid) => networkNamespace(pid),
    completes: 'pid',
  }),
};

/** Ports of both ends; for programs that declare `filter_lports` and `filter_dports`. */
export const portFilters = {
  localPorts: ports('-L, --localport <PORTS>', 'only these local ports', 'filter_lports'),
  remotePorts: ports('-D, --remoteport <PORTS>', 'only these remote ports', 'filter_dports'),
};

function ports<const Set extends string>(
  flags: string,
  summary: string,
  set: Set,
): Option<readonly number[] | undefined, Set> {
  return list(flags, summary, (port) => parseInteger(port, 1, 65535), { ...filter, set });
}
