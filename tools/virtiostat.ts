import bpf from '../bpf/virtiostat.bpf.ts';
import { accepted, kernelEnum, lacksStructure, text, top } from '../lib/tool.ts';

const withoutTypes = lacksStructure('virtqueue');
const premapped = ['add_outbuf_premapped', 'add_inbuf_premapped'] as const;

export default top(bpf, {
  summary: 'Show what the queues of virtio devices carry.',
  area: 'kernel',
  activity: 'Tracing the queues of virtio devices',
  description: `
Prints, every 3 seconds, for each queue of a virtio device how many pieces of memory the driver has given to the device, and how many bytes they have: those that the device reads (Out) and those that it fills or may fill (In). Seen are the functions of the kernel by which drivers do that: virtqueue_add_sgs(), virtqueue_add_outbuf(), virtqueue_add_inbuf(), virtqueue_add_inbuf_ctx(), and virtqueue_add_outbuf_premapped() and virtqueue_add_inbuf_premapped() where there are such. A request that finds the queue full is left out, unless the functions can only be hooked at their entry (kprobe).

What a device may fill it need not fill: the buffers of a network card that wait for packets count when they are given, with their whole size. A request to a disk has a piece of 16 bytes besides the data on the way out, and one of 1 byte on the way in.

The numbers of a queue that is not in use are not printed. Of a request with more than 4096 pieces the rest is left out, and the request counted as dropped. The numbers are those of the whole interval, however long it took. In JSON the number of requests is there as well.`,
  overhead:
    'About 7.6 µs for each request in an emulated machine on a busy host, where everything takes more than ten times as long as on a processor (run time of the programs).',
  options: {
    debug: accepted('-D, --debug'),
    driver: text('-d, --driver <NAME>', 'only devices of this driver', { set: 'filter_driver', group: 'filter' }),
    device: text('-n, --devname <NAME>', 'only this device', { set: 'filter_device', group: 'filter' }),
  },
  map: 'traffic',
  meanings: {
    in_bytes: 'bytes that the device may fill',
    out_bytes: 'bytes that the device reads',
    driver: 'driver of the device',
    device: 'name of the device',
    virtqueue: 'queue of the device',
    in_sgs: 'pieces of memory that the device may fill',
    out_sgs: 'pieces of memory that the device reads',
    requests: 'requests that the driver made',
  },
  columns: {
    driver: { header: 'Driver', width: 14 },
    device: { header: 'Device', width: 10 },
    virtqueue: { header: 'VQ Name', width: 16 },
    in_sgs: { header: 'In SGs', width: 10 },
    out_sgs: { header: 'Out SGs', width: 10 },
    in_bytes: { header: 'In BW', width: 14, text: String },
    out_bytes: { header: 'Out BW', width: 14, text: String },
  },
  sort: ['in_bytes', 'out_bytes', 'in_sgs', 'out_sgs', 'requests'],
  interval: 3,
  attach: {
    lacks: () => withoutTypes() ?? (hasLoop() ? undefined : 'the helper bpf_loop()'),
    optional: premapped.flatMap((name) => [`${name}__fexit`, `${name}__kprobe`] as const),
  },
  examples: {
    '': 'all devices, every 3 seconds',
    '-T -d virtio_blk 1 10': 'the disks, each second, with the time',
    '-n virtio0': 'one device',
  },
  sample: {
    before: 'In a virtual machine whose files are those of the host:',
    args: '2 1',
    output: `
Driver   Device  VQ Name    In SGs Out SGs In BW Out BW
virtiofs virtio1 requests.0      4       6    48   3459`,
    after:
      'The driver of the shared file system gave its device 6 pieces of memory with 3459 bytes to read, and 4 pieces of 48 bytes for the answers.',
  },
});

function hasLoop(): boolean {
  return [...kernelEnum({ tag: ['bpf_func_id'] }).values()].includes('BPF_FUNC_loop');
}
