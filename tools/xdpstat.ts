import bpf from '../bpf/xdpstat.bpf.ts';
import { choice, flag, namespaceFilters, text, top } from '../lib/tool.ts';

export default top(bpf, {
  summary: 'Count what XDP programs redirect, send back and fail with.',
  area: 'network',
  activity: 'Tracing XDP programs',
  description: `
Shows, for each interval, what became of the packets of XDP programs, by interface, program and action, as far as the kernel tells it. A line belongs to a STEP:

EXCEPTION is a packet that a program gave up (ABORTED), that could not be sent back (TX), or for which it returned what is no action (xdp:xdp_exception). REDIRECT is a packet for which a program asked to be redirected (xdp:xdp_redirect), and with an error one for which that failed (xdp:xdp_redirect_err): EINVAL for a target that is not there, ENOSPC for a full queue. XMIT is what was then sent by the interface below TO, several at once (xdp:xdp_devmap_xmit); what the interface did not take is among DROPS. ENQUEUE and CPUMAP are packets that were queued for another processor, and what that took out (xdp:xdp_cpumap_enqueue, xdp:xdp_cpumap_kthread), with the action of the program of the map; these belong to no interface. BULK_TX is what was sent back (TX), by drivers that tell it, as veth and mvneta do (xdp:xdp_bulk_tx).

So a packet that is redirected counts at REDIRECT and again at XMIT or ENQUEUE. An interface that handles XDP in the generic way sends without XMIT. What programs let pass or drop is not told by the kernel, and neither is TX by most drivers: the number of all runs of a program is what bpfstats shows, and its own counters are what bpfmapsnoop does. Programs that run in the network card are not seen.`,
  overhead:
    'About 0.4 µs for each packet that is redirected or given up, and 0.3 µs for each lot that is sent (measured on a busy 2-core virtual machine). Nothing for packets that a program lets pass or drops.',
  options: {
    ...namespaceFilters,
    interface: text('-i, --interface <NAME>', 'only packets that came to this interface', {
      set: 'filter_interface',
      group: 'filter',
    }),
    action: choice('-a, --verdict <ACTION>', 'only this action', ['ABORTED', 'DROP', 'PASS', 'TX', 'REDIRECT'], {
      group: 'filter',
    }),
    failed: flag('-x, --failed', 'only what lost packets', { group: 'filter' }),
  },
  map: 'steps',
  keep: ({ verdict, drops }, { action, failed }) =>
    (action === undefined || actionName(verdict) === action) && (!failed || drops > 0),
  meanings: {
    interface: 'network interface',
    program: 'name of the program',
    to: 'interface or processor that packets are sent to',
    packets: 'packets',
    drops: 'packets that were lost',
    prog_id: 'id of the program; 0: not told',
    map_id: 'id of the map; 0: none',
  },
  computed: {
    action: { type: 'text_t', help: 'what the program returned', value: ({ verdict }) => actionName(verdict) },
  },
  columns: {
    netns: { flag: '--print-netns' },
    interface: { header: 'IFACE', width: 8 },
    prog_id: { header: 'PROGID', width: 6, text: (id) => (id === 0 ? '-' : String(id)) },
    program: { header: 'PROGRAM' },
    step: {},
    action: { width: 8 },
    error: { header: 'ERR' },
    map_id: { header: 'MAPID', width: 6, text: (id) => (id === 0 ? '-' : String(id)) },
    to: { width: 8 },
    packets: {},
    drops: {},
  },
  sort: ['packets', 'drops'],
  interval: 1,
  examples: {
    '': 'all interfaces, each second',
    '-x 10': 'what is lost, every ten seconds',
    '-i eth0 -a REDIRECT': 'where packets go that come to eth0',
  },
  sample: {
    before:
      'A program named balancer gets packets over a virtual cable, and sends them back over it, by itself or by the kernel, to another processor, or to an interface that is not there:',
    args: '2 1',
    output: `
IFACE PROGID PROGRAM  STEP      ACTION   ERR     MAPID TO    PACKETS DROPS
cable      - -        XMIT      REDIRECT -           - cable    2500     0
cable 670136 balancer REDIRECT  REDIRECT -           - -        2500     0
cable 670136 balancer REDIRECT  REDIRECT -      763581 -         900     0
-          - -        ENQUEUE   REDIRECT -      763581 cpu1      900   340
-          - -        CPUMAP    PASS     -      763581 cpu1      560     0
cable      - -        BULK_TX   TX       -           - -         200     0
cable 670136 balancer EXCEPTION ABORTED  -           - -          40    40
cable 670136 balancer REDIRECT  REDIRECT EINVAL      - -          12    12`,
    after:
      'Of the 900 packets for processor 1, 340 found its queue full: the program was told that all was well, as the first line of map 763581 says, and only ENQUEUE shows the loss. The queue of the map is too short, or the processor too slow. The 12 packets to a wrong interface and the 40 that the program gave up are lost as well.',
  },
});

/** As the actions are called everywhere; anything else is the number that the program returned. */
function actionName(verdict: string): string {
  return verdict === 'REDIRECTED' ? 'REDIRECT' : verdict;
}
