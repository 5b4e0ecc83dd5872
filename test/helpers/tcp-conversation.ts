import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Ways to speak TCP with oneself, and what rows say about the addresses. */
export const waysToSpeak = [
  { name: 'IPv4', bind: '127.0.0.1', dial: '127.0.0.1', ip: 4, shown: '127.0.0.1' },
  { name: 'IPv6', bind: '::1', dial: '::1', ip: 6, shown: '::1' },
  { name: 'IPv4 over IPv6 sockets', bind: '::', dial: '::ffff:127.0.0.1', ip: 4, shown: '127.0.0.1' },
] as const;

export type WayToSpeak = (typeof waysToSpeak)[number];

/** A listening socket of this process. */
export class TcpListener implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #dial: string;

  static async open({ bind, dial }: Pick<WayToSpeak, 'bind' | 'dial'>): Promise<TcpListener> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: false });
    server.listen(0, bind);
    await once(server, 'listening');
    return new TcpListener(server, dial);
  }

  private constructor(server: Server, dial: string) {
    this.#server = server;
    this.#dial = dial;
    this.port = (server.address() as AddressInfo).port;
  }

  /** Connects, and returns when the other side has accepted. */
  async connect(): Promise<TcpConversation> {
    const accepted = once(this.#server, 'connection');
    const client = connect({ port: this.port, host: this.#dial, allowHalfOpen: true });
    await once(client, 'connect');
    const [server] = (await accepted) as [Socket];
    return new TcpConversation(client, server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) {
      this.#server.close();
      await once(this.#server, 'close');
    }
  }
}

/** Both ends of a connection. */
class TcpConversation {
  /** Where the client's end is. */
  readonly port: number;
  readonly #ends: Readonly<Record<'client' | 'server', { socket: Socket; received: number; ended: Promise<unknown> }>>;

  constructor(client: Socket, server: Socket) {
    this.port = client.localPort ?? 0;
    const end = (socket: Socket) => ({
      socket,
      received: 0,
      ended: new Promise((resolve) => socket.on('end', resolve)),
    });
    this.#ends = { client: end(client), server: end(server) };
    for (const one of Object.values(this.#ends)) {
      one.socket.on('data', (data) => {
        one.received += data.length;
        one.socket.emit('counted');
      });
    }
  }

  /** Sends that many bytes, and returns when the other side has read them. */
  async send(from: 'client' | 'server', bytes: number): Promise<void> {
    const to = this.#ends[from === 'client' ? 'server' : 'client'];
    const expected = to.received + bytes;
    this.#ends[from].socket.write(new Uint8Array(bytes));
    while (to.received < expected) {
      await once(to.socket, 'counted');
    }
  }

  /** Ends the connection in order, one side first. */
  async close(first: 'client' | 'server'): Promise<void> {
    const [one, other] = first === 'client' ? (['client', 'server'] as const) : (['server', 'client'] as const);
    const closed = Promise.all([one, other].map((side) => once(this.#ends[side].socket, 'close')));
    this.#ends[one].socket.end();
    await this.#ends[other].ended;
    this.#ends[other].socket.end();
    await closed;
  }

  /** Ends the connection with a reset by one side. */
  async reset(by: 'client' | 'server'): Promise<void> {
    const other = this.#ends[by === 'client' ? 'server' : 'client'].socket;
    const closed = new Promise((resolve) => other.on('error', () => {}).on('close', resolve));
    this.#ends[by].socket.resetAndDestroy();
    await closed;
  }
}

/** Tries to connect where nobody listens. */
export async function connectInVain(host: string, port: number): Promise<void> {
  const socket = connect({ host, port });
  await new Promise((resolve) => socket.on('error', resolve));
}
