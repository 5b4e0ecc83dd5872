import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import type { Actor } from './actor.ts';
import { AF_INET6, type Endpoint, familyOf, readSocketAddress, socketAddress } from './socket-address.ts';
import { mustSyscall, syscall } from './syscall.ts';

const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;

/** A server of this process, on a free port, that takes every connection and closes it. */
export class TcpServer implements AsyncDisposable {
  readonly #server: Server;

  static async start(address: string): Promise<TcpServer> {
    const server = createServer((socket) => socket.on('error', () => {}).destroy());
    server.listen({ port: 0, host: address, backlog: 4096 });
    await once(server, 'listening');
    return new TcpServer(server);
  }

  private constructor(server: Server) {
    this.#server = server;
  }

  get endpoint(): Endpoint {
    const { address, port } = this.#server.address() as AddressInfo;
    return { address, port };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** A port that nobody listens on, kept free for as long as this is held. */
export class ClosedPort implements Disposable {
  readonly endpoint: Endpoint;
  readonly #fd: number;

  constructor(address: string) {
    const local = socketAddress({ address, port: 0 });
    this.#fd = mustSyscall('socket', familyOf(address), SOCK_STREAM, 0);
    mustSyscall('bind', this.#fd, local, local.length);
    mustSyscall('getsockname', this.#fd, local, Buffer.from(Uint32Array.of(local.length).buffer));
    this.endpoint = readSocketAddress(local);
  }

  [Symbol.dispose](): void {
    mustSyscall('close', this.#fd);
  }
}

/** Whether this host has IPv6, and on its loopback interface. */
export function hasIpv6(): boolean {
  const fd = syscall('socket', AF_INET6, SOCK_STREAM, 0);
  if (fd < 0) {
    return false;
  }
  const local = socketAddress({ address: '::1', port: 0 });
  const bound = syscall('bind', fd, local, local.length);
  mustSyscall('close', fd);
  return bound === 0;
}

/** A connection to make, and how. */
export interface Connecting extends Endpoint {
  /** What to bind to first; a port of 0 lets the kernel choose. */
  readonly from?: Endpoint;
  readonly nonBlocking?: boolean;
  /** Instead of TCP itself. */
  readonly protocol?: number;
}

export interface Connected {
  readonly fd: number;
  /** 0 or the negative errno. */
  readonly result: number;
  /** What the socket itself says afterwards. */
  readonly local: Endpoint;
}

/** Has an actor make connections one right after the other; the sockets stay open. */
export async function connectAll(actor: Actor, all: readonly Connecting[], thread = 0): Promise<Connected[]> {
  const made = await actor.perform(
    all.map(({ address, nonBlocking = false, protocol = 0 }) => ({
      name: 'socket',
      args: [familyOf(address), SOCK_STREAM | (nonBlocking ? SOCK_NONBLOCK : 0), protocol],
    })),
    thread,
  );
  const fds = made.map(({ result }) => result);
  for (const [i, { from }] of all.entries()) {
    if (from !== undefined) {
      const address = socketAddress(from);
      await actor.mustCall('bind', fds[i] as number, address, address.length);
    }
  }
  const results = await actor.perform(
    all.map((target, i) => {
      const address = socketAddress(target);
      return { name: 'connect', args: [fds[i] as number, address, address.length] };
    }),
    thread,
  );
  const locals = await actor.perform(
    fds.map((fd) => ({ name: 'getsockname', args: [fd, Buffer.alloc(28), Buffer.from(Uint32Array.of(28).buffer)] })),
    thread,
  );
  return fds.map((fd, i) => ({
    fd,
    result: results[i]?.result as number,
    local: readSocketAddress(locals[i]?.args[1] as Uint8Array),
  }));
}

/** Closes what `connectAll` opened. */
export async function closeAll(actor: Actor, connections: readonly Connected[]): Promise<void> {
  await actor.perform(connections.map(({ fd }) => ({ name: 'close', args: [fd] })));
}
