import bpf from '../bpf/rdmaucma.bpf.ts';
import { accepted, endColumns, familyFilters, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace events of the RDMA connection manager.',
  area: 'network',
  activity: 'Tracing events of the RDMA connection manager',
  description: `
Prints a line for each event that the RDMA connection manager (the module rdma_cm) tells to who owns a connection: addresses and routes that were found or not, requests to connect, answers, errors, and ends. Owners are programs that use librdmacm, and parts of the kernel, such as NFS and NVMe over RDMA.

LADDR and RADDR are the two ends, empty when they are not known or no IP addresses. ID is the identifier that the kernel gives a connection once it has a device, and 0 before. ERR is the error that the kernel gave with the event; a status that the hardware or the other side gave, such as the reason for a rejection, is in the field cm_status. Events come from threads of the kernel, so which process it is about is not told.

The tracepoint rdma_cma:cm_event_handler is of the module (Linux 5.6): where that is not loaded, which it is as soon as somebody uses RDMA, the tool does not start. 'modprobe rdma_cm' loads it before.`,
  overhead:
    '38 µs for each event (run time of the program for 46 events in an emulated guest with Linux 6.18, some times slower than a machine). A connection has a handful of events, and transfers of data have none.',
  options: { ...familyFilters, debug: accepted('-D, --debug') },
  meanings: {
    id: 'identifier of the connection; 0 before it has a device',
    cm_status: 'status of the event: 0, a negative error number or what the hardware said',
  },
  columns: {
    time: {},
    id: { header: 'ID', width: 6 },
    event: { width: 16, text: (event) => event.replace('_EVENT', '') },
    ip: { header: 'IP', width: 2 },
    ...endColumns,
    error: { header: 'ERR' },
  },
  examples: { '': 'trace all events', '-4 --utc': 'those of IPv4, with times in UTC' },
  sample: {
    before: 'A program asks the connection manager for a way to 192.0.2.1, which belongs to no device of RDMA:',
    args: '--stats',
    output: `
TIME        ID EVENT            IP LADDR           LPORT RADDR           RPORT ERR
21:36:45     0 ADDR_ERROR        4 -               50875 192.0.2.1       10000 ENODEV
21:36:46     0 ADDR_ERROR        4 -               42234 192.0.2.1       10001 ENODEV
21:36:46     0 ADDR_ERROR        4 -               56780 192.0.2.1       10002 ENODEV`,
    after:
      'Each attempt ends before a connection is even tried: there is no device (ENODEV) for the address. Where that works, ADDR_RESOLVED and ROUTE_RESOLVED come first, and ESTABLISHED when both sides are connected.',
  },
});
