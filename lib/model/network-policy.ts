import { parseIp } from './ip.ts';
import type { JsonValue } from './json.ts';

/** What was exchanged with somebody, or with anybody: `port` is that of the side that did not begin. */
export interface PolicyFlow {
  /** Inode of the network namespace: what a pod has of its own, and what policies are for. */
  readonly netns: number;
  readonly comm: string;
  /** 'IN' or 'OUT'. */
  readonly direction: string;
  /** 'TCP' or 'UDP'. */
  readonly transport: string;
  readonly peer: string | undefined;
  readonly port: number;
}

/** How a policy is called, as Kubernetes allows names, and which labels the pods have that it is for. */
export interface PolicyHead {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

type Ports = ReadonlyMap<string, JsonValue>;

const DNS = 53;
const ANYBODY = '';
const MAX_COMMANDS = 100;

/** Name servers of a cluster are reached by an address that policies do not see: what the pods behind it have in common. */
const clusterNameServers = { namespaceSelector: {}, podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } };

/**
 * Kubernetes NetworkPolicies that allow these flows and nothing else, one for each network namespace: the same for the
 * same flows in whatever order.
 */
export function networkPolicies(flows: readonly PolicyFlow[], headOf: (netns: number) => PolicyHead): JsonValue[] {
  return [...groups(flows, ({ netns }) => netns)]
    .sort(([a], [b]) => a - b)
    .map(([netns, own]) => networkPolicy(headOf(netns), own));
}

function networkPolicy({ name, labels }: PolicyHead, flows: readonly PolicyFlow[]): JsonValue {
  const policed = flows.filter(({ peer, port }) => port !== 0 && (peer === undefined || !isLoopback(peer)));
  const incoming = policed.filter(({ direction }) => direction === 'IN');
  const outgoing = policed.filter(({ direction, peer }) => direction === 'OUT' && peer !== undefined);
  const names = [...new Set(flows.map(({ comm }) => comm))].sort();
  const more = names.length > MAX_COMMANDS ? [...names.slice(0, MAX_COMMANDS), '...'] : names;
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, annotations: { 'kscope/commands': more.join(', ') } },
    spec: {
      podSelector: { matchLabels: labels },
      policyTypes: ['Ingress', 'Egress'],
      ingress: rulesOf(incoming, 'from'),
      egress: [
        ...nameServers(outgoing.filter(({ port }) => port === DNS)),
        ...rulesOf(
          outgoing.filter(({ port }) => port !== DNS),
          'to',
        ),
      ],
    },
  };
}

/** What a pod says to itself no policy is asked about. */
function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

/** By either protocol: an answer that is too long for one comes by the other. */
function nameServers(flows: readonly PolicyFlow[]): JsonValue[] {
  if (flows.length === 0) {
    return [];
  }
  const ports = ['UDP', 'TCP'].map((protocol) => ({ protocol, port: DNS }));
  return [{ to: [...blocksOf(flows.map(({ peer = '' }) => peer)), clusterNameServers], ports }];
}

/** Peers with the same ports are one rule. */
function rulesOf(flows: readonly PolicyFlow[], side: 'from' | 'to'): JsonValue[] {
  const byPeer = groups(flows, ({ peer = ANYBODY }) => peer);
  const open = portsOf(byPeer.get(ANYBODY) ?? []);
  byPeer.delete(ANYBODY);
  const rules = new Map<string, { readonly ports: Ports; readonly peers: string[] }>();
  for (const [peer, own] of byPeer) {
    const ports = new Map([...portsOf(own)].filter(([key]) => !open.has(key)));
    const key = [...ports.keys()].join();
    const rule = rules.get(key) ?? { ports, peers: [] };
    rule.peers.push(peer);
    rules.set(key, rule);
  }
  const some = [...rules]
    .filter(([key]) => key !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { ports, peers }]) => ({ [side]: blocksOf(peers), ports: [...ports.values()] }));
  return open.size > 0 ? [{ ports: [...open.values()] }, ...some] : some;
}

function portsOf(flows: readonly PolicyFlow[]): Ports {
  const ports = flows.map(({ transport: protocol, port }) => [`${protocol}/${port}`, { protocol, port }] as const);
  return new Map(ports.sort(([, a], [, b]) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1)));
}

function blocksOf(peers: readonly string[]): JsonValue[] {
  return [...new Set(peers)]
    .sort((a, b) => Buffer.compare(parseIp(a) ?? Buffer.alloc(0), parseIp(b) ?? Buffer.alloc(0)))
    .map((peer) => ({ ipBlock: { cidr: `${peer}/${peer.includes(':') ? 128 : 32}` } }));
}

function groups<T, K>(all: readonly T[], keyOf: (one: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const one of all) {
    const key = keyOf(one);
    const group = groups.get(key) ?? [];
    group.push(one);
    groups.set(key, group);
  }
  return groups;
}
