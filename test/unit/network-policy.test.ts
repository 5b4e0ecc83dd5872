import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue } from '../../lib/model/json.ts';
import { networkPolicies, type PolicyFlow } from '../../lib/model/network-policy.ts';
import { podIn } from '../../lib/system/pods.ts';

function flow(text: string, netns = 1, comm = 'a'): PolicyFlow {
  const [direction = '', transport = '', port = '', peer] = text.split(' ');
  return { netns, comm, direction, transport, port: Number(port), peer };
}

interface Policy {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
  readonly spec: { readonly ingress: JsonValue; readonly egress: JsonValue };
}

const policiesOf = (flows: readonly PolicyFlow[]) =>
  networkPolicies(flows, (netns) => ({ name: `n-${netns}`, labels: {} })) as unknown as Policy[];

test('a rule is for those with the same ports, in one order; what is open to anybody is said once', () => {
  const flows = [
    ...['IN TCP 80 192.0.2.10', 'IN TCP 80 192.0.2.9', 'IN TCP 80 2001:db8::1', 'IN TCP 80 192.0.2.9', 'IN UDP 514'],
    ...['IN UDP 514 192.0.2.9', 'IN TCP 443 192.0.2.10', 'OUT UDP 9', 'OUT TCP 0 192.0.2.9', 'OUT TCP 81 127.1.2.3'],
    ...['OUT TCP 443 2001:db8::2', 'OUT UDP 443 2001:db8::2', 'OUT TCP 53 192.0.2.53', 'OUT TCP 53 ::1'],
  ].map((text) => flow(text));
  const block = (cidr: string) => ({ ipBlock: { cidr } });
  const tcp = (port: number) => ({ protocol: 'TCP', port });
  const udp = (port: number) => ({ protocol: 'UDP', port });
  for (const order of [flows, flows.toReversed()]) {
    const [policy, ...more] = policiesOf(order);
    assert.deepEqual(more, []);
    assert.deepEqual(policy?.spec.ingress, [
      { ports: [udp(514)] },
      { from: [block('192.0.2.9/32'), block('2001:db8::1/128')], ports: [tcp(80)] },
      { from: [block('192.0.2.10/32')], ports: [tcp(80), tcp(443)] },
    ]);
    assert.deepEqual(policy?.spec.egress, [
      {
        to: [
          block('192.0.2.53/32'),
          { namespaceSelector: {}, podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } },
        ],
        ports: [udp(53), tcp(53)],
      },
      { to: [block('2001:db8::2/128')], ports: [tcp(443), udp(443)] },
    ]);
  }
});

test('each network has its policy, with the commands that were seen there, as many as there is room for', () => {
  const commands = Array.from({ length: 150 }, (_, i) => `c${1000 + i}`);
  const policies = policiesOf([
    ...commands.toReversed().map((comm) => flow('OUT TCP 80 192.0.2.9', 7, comm)),
    flow('IN TCP 80 192.0.2.9', 3, 'b'),
    flow('IN TCP 80 192.0.2.9', 3, 'b'),
  ]);
  const named = policies.map(({ metadata }) => metadata.annotations['kscope/commands']);
  assert.deepEqual(named, ['b', [...commands.slice(0, 100), '...'].join(', ')]);
});

test('pods are known by the cgroups that the kubelet makes', () => {
  const uid = '0a1b2c3d-89ab-cdef-0123-456789abcdef';
  const digest = '0123456789abcdef0123456789abcdef';
  for (const [cgroups, pod] of [
    [`0::/kubepods/burstable/pod${uid}/0123`, uid],
    [`0::/kubepods.slice/kubepods-pod${uid.replaceAll('-', '_')}.slice/cri-containerd-0123.scope`, uid],
    [`12:cpu:/kubepods/besteffort/pod${uid}\n0::/`, uid],
    [`0::/kubepods/pod${digest}/0123`, digest],
    [`0::/user.slice/mypod${uid}`, undefined],
    [`0::/pod${uid}0`, undefined],
    [`0::/pod${uid.replace('-', '_')}`, undefined],
    ['0::/', undefined],
  ] as const) {
    assert.equal(podIn(`${cgroups}\n`), pod, cgroups);
  }
});
