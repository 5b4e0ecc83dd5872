import { pointerTo } from './native-arguments.ts';
import { familyOf, socketAddress } from './socket-address.ts';
import { mustSyscall, syscall } from './syscall.ts';

const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_ATTACH_FILTER = 26;
const SO_DETACH_FILTER = 27;
const IPPROTO_TCP = 6;
const TCP_MAXSEG = 2;
const TCP_DEFER_ACCEPT = 9;
const TCP_INFO = 11;
const TCP_CONGESTION = 13;
// In struct tcp_info.
const STATE_AT = 0;
const CONGESTION_STATE_AT = 1;
const ROUND_TRIP_TIME_AT = 68;
const SLOW_START_THRESHOLD_AT = 76;
const CONGESTION_WINDOW_AT = 80;
const TOTAL_RETRANSMITS_AT = 100;
const SEGMENTS_RECEIVED_AT = 140;

/** Numbers of states of congestion control. */
export const congestionState = { open: 0, disorder: 1, cwr: 2, recovery: 3, loss: 4 } as const;

/**
 * A TCP socket of which every step is one system call of this thread. It can be made deaf: it then drops each packet
 * that comes, so that its other side sends again, whatever the network.
 */
export class RawTcp implements Disposable {
  readonly fd: number;

  static listen({ bind }: { readonly bind: string }, backlog = 16): RawTcp {
    const address = socketAddress({ address: bind, port: 0 });
    const socket = new RawTcp(mustSyscall('socket', familyOf(bind), SOCK_STREAM, 0));
    mustSyscall('bind', socket.fd, address, address.length);
    socket.limitBacklog(backlog);
    return socket;
  }

  /** A socket that does not wait: not for connections, and not for room. */
  static open({ dial }: { readonly dial: string }): RawTcp {
    return new RawTcp(mustSyscall('socket', familyOf(dial), SOCK_STREAM | SOCK_NONBLOCK, 0));
  }

  constructor(fd: number) {
    this.fd = fd;
  }

  /** Before connecting: sends no more than that in a packet. */
  limitSegments(bytes: number): void {
    mustSyscall('setsockopt', this.fd, IPPROTO_TCP, TCP_MAXSEG, new Uint8Array(Uint32Array.of(bytes).buffer), 4);
  }

  /** Has Reno control its congestion, which every kernel has: it does what the textbooks say. */
  useReno(): void {
    const name = Buffer.from('reno');
    mustSyscall('setsockopt', this.fd, IPPROTO_TCP, TCP_CONGESTION, name, name.length);
  }

  /** Of one that listens: how many connections may wait for accept(2). */
  limitBacklog(connections: number): void {
    mustSyscall('listen', this.fd, connections);
  }

  /** Of one that listens: a connection is made by its first data, and not by the end of the handshake. */
  deferAccept(): void {
    mustSyscall('setsockopt', this.fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, new Uint8Array(Uint32Array.of(60).buffer), 4);
  }

  /** Begins to connect. */
  connect({ dial }: { readonly dial: string }, port: number): void {
    const address = socketAddress({ address: dial, port });
    syscall('connect', this.fd, address, address.length);
  }

  /** The local port. */
  get port(): number {
    const address = Buffer.alloc(28);
    const length = new Uint8Array(Uint32Array.of(28).buffer);
    mustSyscall('getsockname', this.fd, address, length);
    return address.readUInt16BE(2);
  }

  /** How many segments the kernel says that it has sent again. */
  get retransmits(): number {
    return this.#info(TOTAL_RETRANSMITS_AT);
  }

  /** Whether it is connected, as far as this side knows. */
  get isEstablished(): boolean {
    return (this.#info(STATE_AT) & 0xff) === 1;
  }

  /** One of `congestionState`. */
  get congestionState(): number {
    return this.#info(CONGESTION_STATE_AT) & 0xff;
  }

  /** What congestion control allows, in segments. */
  get windows(): { readonly cwnd: number; readonly ssthresh: number } {
    return { cwnd: this.#info(CONGESTION_WINDOW_AT), ssthresh: this.#info(SLOW_START_THRESHOLD_AT) };
  }

  /** Size of the send buffer, in bytes. */
  get sendBuffer(): number {
    const size = Buffer.alloc(4);
    mustSyscall('getsockopt', this.fd, SOL_SOCKET, SO_SNDBUF, size, new Uint8Array(Uint32Array.of(4).buffer));
    return size.readInt32LE();
  }

  /** The smoothed round-trip time that the kernel knows, in microseconds. */
  get roundTripTime(): number {
    return this.#info(ROUND_TRIP_TIME_AT);
  }

  /** How many segments have come. */
  get segmentsReceived(): number {
    return this.#info(SEGMENTS_RECEIVED_AT);
  }

  accept(): RawTcp {
    return new RawTcp(mustSyscall('accept4', this.fd, 0, 0, 0));
  }

  send(bytes: number): void {
    mustSyscall('sendto', this.fd, new Uint8Array(bytes), bytes, 0, 0, 0);
  }

  /** Waits for that many bytes; of a socket that waits. */
  receive(bytes: number): void {
    for (let received = 0; received < bytes; ) {
      const got = mustSyscall('recvfrom', this.fd, new Uint8Array(bytes), bytes, 0, 0, 0);
      received = got === 0 ? bytes : received + got;
    }
  }

  /** Drops all that comes. */
  deafen(): void {
    // One instruction: return 0, keep no byte.
    const filter = new Uint8Array(Uint32Array.of(6, 0).buffer);
    const program = new Uint8Array(BigUint64Array.of(1n, pointerTo(filter)).buffer);
    mustSyscall('setsockopt', this.fd, SOL_SOCKET, SO_ATTACH_FILTER, program, program.length);
  }

  /** Ends that. */
  hear(): void {
    mustSyscall('setsockopt', this.fd, SOL_SOCKET, SO_DETACH_FILTER, new Uint8Array(4), 4);
  }

  [Symbol.dispose](): void {
    syscall('close', this.fd);
  }

  #info(at: number): number {
    const info = Buffer.alloc(144);
    mustSyscall('getsockopt', this.fd, IPPROTO_TCP, TCP_INFO, info, new Uint8Array(Uint32Array.of(144).buffer));
    return info.readUInt32LE(at);
  }
}
