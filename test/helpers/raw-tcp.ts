import { pointerTo } from './native-arguments.ts';
import { mustSyscall, syscall } from './syscall.ts';
import type { WayToSpeak } from './tcp-conversation.ts';

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const SO_DETACH_FILTER = 27;
const IPPROTO_TCP = 6;
const TCP_INFO = 11;
const TOTAL_RETRANSMITS_AT = 100;

/** Addresses in network order. */
const addresses: Readonly<Record<string, readonly number[]>> = {
  '127.0.0.1': [127, 0, 0, 1],
  '::1': [...new Uint8Array(15), 1],
  '::': [...new Uint8Array(16)],
  '::ffff:127.0.0.1': [...new Uint8Array(10), 0xff, 0xff, 127, 0, 0, 1],
};

function socketAddress(text: string, port: number): Uint8Array {
  const address = addresses[text] ?? [];
  const inet6 = address.length === 16;
  const bytes = Buffer.alloc(inet6 ? 28 : 16);
  bytes.writeUInt16LE(inet6 ? AF_INET6 : AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(address, inet6 ? 8 : 4);
  return bytes;
}

/**
 * A TCP socket of which every step is one system call of this thread. It can be made deaf: it then drops each packet
 * that comes, so that its other side sends again, whatever the network.
 */
export class RawTcp implements Disposable {
  readonly fd: number;

  static listen({ bind }: Pick<WayToSpeak, 'bind'>): RawTcp {
    const address = socketAddress(bind, 0);
    const socket = new RawTcp(mustSyscall('socket', Buffer.from(address).readUInt16LE(0), SOCK_STREAM, 0));
    mustSyscall('bind', socket.fd, address, address.length);
    mustSyscall('listen', socket.fd, 16);
    return socket;
  }

  /** Begins to connect, and does not wait for the answer. */
  static connect({ dial }: Pick<WayToSpeak, 'dial'>, port: number): RawTcp {
    const address = socketAddress(dial, port);
    const family = Buffer.from(address).readUInt16LE(0);
    const socket = new RawTcp(mustSyscall('socket', family, SOCK_STREAM | SOCK_NONBLOCK, 0));
    syscall('connect', socket.fd, address, address.length);
    return socket;
  }

  constructor(fd: number) {
    this.fd = fd;
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
    const info = Buffer.alloc(104);
    mustSyscall('getsockopt', this.fd, IPPROTO_TCP, TCP_INFO, info, new Uint8Array(Uint32Array.of(104).buffer));
    return info.readUInt32LE(TOTAL_RETRANSMITS_AT);
  }

  accept(): RawTcp {
    return new RawTcp(mustSyscall('accept4', this.fd, 0, 0, 0));
  }

  send(bytes: number): void {
    mustSyscall('sendto', this.fd, new Uint8Array(bytes), bytes, 0, 0, 0);
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
}
