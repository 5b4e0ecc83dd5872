import type { TestContext } from 'node:test';
import type { Actor } from './actor.ts';
import { familyOf, ipBytes } from './socket-address.ts';
import { errorName } from './syscall.ts';

const CLONE_NEWNET = 0x40000000;
const AF_NETLINK = 16;
const AF_PACKET = 17;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const ETH_P_IP = 0x0800;
const NLM_F_REQUEST_ACK = 5;
const NLM_F_CREATE_EXCL = 0x600;
const RTM_NEWLINK = 16;
const RTM_NEWADDR = 20;
const RTM_NEWNEIGH = 28;
const RTM_NEWQDISC = 36;
const TCA_KIND = 1;
const TCA_OPTIONS = 2;
const TCA_TBF_PARMS = 1;
const TCA_TBF_BURST = 6;
const TC_H_ROOT = 0xffffffff;
const TC_LINKLAYER_ETHERNET = 1;
const O_WRONLY = 1;
const AT_FDCWD = -100;
const NDA_DST = 1;
const NDA_LLADDR = 2;
const NUD_PERMANENT = 0x80;
const IFLA_IFNAME = 3;
const IFLA_LINKINFO = 18;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_NET_NS_PID = 19;
const IFLA_GSO_MAX_SIZE = 41;
const IFLA_GRO_MAX_SIZE = 58;
const VETH_INFO_PEER = 1;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_FLAGS = 8;
const IFA_F_NODAD = 2;
const IFF_UP = 1;
const LOOPBACK = 1;
/** Number of the interface of either end of a cable. */
export const CABLE = 100;

/** Moves the main thread of an actor to a network of its own, where only the loopback interface is up. */
export async function enterNetwork(actor: Actor): Promise<void> {
  await actor.mustCall('unshare', CLONE_NEWNET);
  await mustRequest(actor, RTM_NEWLINK, linkMessage(LOOPBACK, IFF_UP));
}

/** Makes two actors hosts that a cable connects. Skips the test, and says false, where the kernel has no such cables. */
export async function areConnectedHosts(t: TestContext, left: Actor, right: Actor): Promise<boolean> {
  await enterNetwork(left);
  await enterNetwork(right);
  const error = await connectNetworks(left, right);
  if (error !== 0) {
    t.skip(`this kernel has no veth: ${errorName(error)}`);
  }
  return error === 0;
}

/** The same, with the addresses 192.0.2.1 and 2001:db8::1 on the left, and 192.0.2.2 and 2001:db8::2 on the right. */
export async function areAddressedHosts(t: TestContext, left: Actor, right: Actor): Promise<boolean> {
  const connected = await areConnectedHosts(t, left, right);
  for (const [i, actor] of (connected ? [left, right] : []).entries()) {
    await addAddress(actor, `192.0.2.${i + 1}`, 24);
    await addAddress(actor, `2001:db8::${i + 1}`, 64);
  }
  return connected;
}

/** Connects the networks of two actors with a cable. @returns the errno where the kernel has no such cables, or 0 */
export async function connectNetworks(left: Actor, right: Actor): Promise<number> {
  const name = attribute(IFLA_IFNAME, text('cable'));
  const peer = Buffer.concat([linkMessage(CABLE, 0), name, attribute(IFLA_NET_NS_PID, word(right.pid))]);
  const data = attribute(IFLA_INFO_DATA, attribute(VETH_INFO_PEER, peer));
  const kind = attribute(IFLA_INFO_KIND, text('veth'));
  const message = Buffer.concat([linkMessage(CABLE, 0), name, attribute(IFLA_LINKINFO, Buffer.concat([kind, data]))]);
  const error = await request(left, RTM_NEWLINK, message, NLM_F_CREATE_EXCL);
  if (error === 0) {
    for (const actor of [left, right]) {
      await mustRequest(actor, RTM_NEWLINK, linkMessage(CABLE, IFF_UP));
    }
  }
  return error;
}

/** Gives an actor's end of the cable, or its loopback interface, an address that can be used at once. */
export async function addAddress(
  actor: Actor,
  address: string,
  prefix: number,
  to: 'cable' | 'loopback' = 'cable',
): Promise<void> {
  const head = Buffer.alloc(8);
  head.writeUInt8(familyOf(address), 0);
  head.writeUInt8(prefix, 1);
  head.writeUInt32LE(to === 'cable' ? CABLE : LOOPBACK, 4);
  const parts = [attribute(IFA_LOCAL, ipBytes(address)), attribute(IFA_ADDRESS, ipBytes(address))];
  const flags = attribute(IFA_FLAGS, word(IFA_F_NODAD));
  await mustRequest(actor, RTM_NEWADDR, Buffer.concat([head, ...parts, flags]), NLM_F_CREATE_EXCL);
}

/** Makes an actor believe in a neighbour on the cable: what is sent to it arrives nowhere, and is not answered. */
export async function addSilentNeighbour(actor: Actor, address: string): Promise<void> {
  const head = Buffer.alloc(12);
  head.writeUInt8(familyOf(address), 0);
  head.writeInt32LE(CABLE, 4);
  head.writeUInt16LE(NUD_PERMANENT, 8);
  const parts = [attribute(NDA_DST, ipBytes(address)), attribute(NDA_LLADDR, Buffer.from('020000000099', 'hex'))];
  await mustRequest(actor, RTM_NEWNEIGH, Buffer.concat([head, ...parts]), NLM_F_CREATE_EXCL);
}

/**
 * Lets an actor's end of the cable send so many bytes a second, and so many at once; packets wait in a queue for that.
 * @returns the errno where the kernel has no such queue (tbf), or 0
 */
export async function limitRate(actor: Actor, bytesPerSecond: number, burst: number): Promise<number> {
  const head = Buffer.alloc(20);
  head.writeInt32LE(CABLE, 4);
  head.writeUInt32LE(TC_H_ROOT, 12);
  const parameters = Buffer.alloc(36);
  parameters.writeUInt8(TC_LINKLAYER_ETHERNET, 1);
  parameters.writeUInt32LE(bytesPerSecond, 8);
  parameters.writeUInt32LE(1 << 20, 24);
  const options = Buffer.concat([attribute(TCA_TBF_PARMS, parameters), attribute(TCA_TBF_BURST, word(burst))]);
  const message = Buffer.concat([head, attribute(TCA_KIND, text('tbf')), attribute(TCA_OPTIONS, options)]);
  return await request(actor, RTM_NEWQDISC, message, NLM_F_CREATE_EXCL);
}

/**
 * Lets an actor's end of the cable send and put together packets of IPv6 of that many bytes (BIG TCP).
 * @returns the errno where the kernel has no packets of more than 64 KiB, or 0
 */
export async function allowLargePackets(actor: Actor, bytes: number): Promise<number> {
  const parts = [attribute(IFLA_GSO_MAX_SIZE, word(bytes)), attribute(IFLA_GRO_MAX_SIZE, word(bytes))];
  return await request(actor, RTM_NEWLINK, Buffer.concat([linkMessage(CABLE, IFF_UP), ...parts]));
}

/** Keeps the network of an actor from saying anything of its own accord over the cable. */
export async function disableIpv6(actor: Actor): Promise<void> {
  const fd = await actor.call('openat', AT_FDCWD, text('/proc/sys/net/ipv6/conf/cable/disable_ipv6'), O_WRONLY, 0);
  if (fd >= 0) {
    await actor.mustCall('write', fd, text('1'), 1);
    await actor.mustCall('close', fd);
  }
}

/** Sends packets of IPv4 over an actor's end of the cable to whoever hears them there, whatever address they are from. */
export async function sendPacket(actor: Actor, packet: Buffer, times = 1): Promise<void> {
  const to = Buffer.alloc(20);
  to.writeUInt16LE(AF_PACKET, 0);
  to.writeUInt16BE(ETH_P_IP, 2);
  to.writeInt32LE(CABLE, 4);
  to.writeUInt8(6, 11);
  to.fill(0xff, 12, 18);
  const fd = await actor.mustCall('socket', AF_PACKET, SOCK_DGRAM, 0);
  const call = { name: 'sendto', args: [fd, packet, packet.length, 0, to, to.length] } as const;
  for (const { result } of await actor.perform(new Array(times).fill(call))) {
    if (result < 0) {
      throw new Error(`sendto: ${errorName(-result)}`);
    }
  }
  await actor.mustCall('close', fd);
}

async function mustRequest(actor: Actor, type: number, body: Buffer, flags = 0): Promise<void> {
  const error = await request(actor, type, body, flags);
  if (error !== 0) {
    throw new Error(`netlink request ${type}: ${errorName(error)}`);
  }
}

/** Sends one message to the kernel. @returns the errno of its answer */
async function request(actor: Actor, type: number, body: Buffer, flags = 0): Promise<number> {
  const header = Buffer.alloc(16);
  header.writeUInt32LE(header.length + body.length, 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(NLM_F_REQUEST_ACK | flags, 6);
  const message = Buffer.concat([header, body]);
  const fd = await actor.mustCall('socket', AF_NETLINK, SOCK_RAW, 0);
  await actor.mustCall('sendto', fd, message, message.length, 0, 0, 0);
  const { args } = await actor.ask(0, 'recvfrom', fd, Buffer.alloc(4096), 4096, 0, 0, 0);
  await actor.mustCall('close', fd);
  return -Buffer.from(args[1] as Uint8Array).readInt32LE(16);
}

function linkMessage(index: number, flags: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeInt32LE(index, 4);
  bytes.writeUInt32LE(flags, 8);
  bytes.writeUInt32LE(flags, 12);
  return bytes;
}

function attribute(type: number, value: Buffer): Buffer {
  const bytes = Buffer.alloc((4 + value.length + 3) & ~3);
  bytes.writeUInt16LE(4 + value.length, 0);
  bytes.writeUInt16LE(type, 2);
  value.copy(bytes, 4);
  return bytes;
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}
