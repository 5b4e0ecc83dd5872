import { mustSyscall } from '../../helpers/syscall.ts';
import type { Workload } from './workload.ts';

const AF_INET = 2;
const SOCK_STREAM = 1;

/** A struct sockaddr_in. */
function address(port: number, ...host: readonly [number, number, number, number]): Uint8Array {
  return Uint8Array.of(AF_INET, 0, port >> 8, port & 0xff, ...host, 0, 0, 0, 0, 0, 0, 0, 0);
}

/** Both ends in one thread: the kernel completes a connection to a socket that listens. */
function connectTo(listener: number, server: Uint8Array): void {
  const client = mustSyscall('socket', AF_INET, SOCK_STREAM, 0);
  mustSyscall('connect', client, server, server.length);
  const accepted = mustSyscall('accept4', listener, 0, 0, 0);
  mustSyscall('close', client);
  mustSyscall('close', accepted);
}

/** Connections over the loopback device, each to another address of it: no port is used up. */
export const connections: Workload = {
  unit: 'connection',
  count: 10_000,
  start() {
    const listener = mustSyscall('socket', AF_INET, SOCK_STREAM, 0);
    const bound = address(0, 0, 0, 0, 0);
    mustSyscall('bind', listener, bound, bound.length);
    mustSyscall('listen', listener, 128);
    const name = new Uint8Array(16);
    mustSyscall('getsockname', listener, name, new Uint8Array(Uint32Array.of(16).buffer));
    const port = ((name[2] as number) << 8) | (name[3] as number);
    const connectNumber = (net: number, number: number) =>
      connectTo(listener, address(port, 127, net, (number >> 8) & 0xff, number & 0xff));
    return {
      mark: String(port),
      poke: (number) => connectNumber(2, number),
      run(count) {
        for (let i = 0; i < count; i++) {
          connectNumber(3, i);
        }
      },
    };
  },
  eventLine: (_pid, mark) =>
    new RegExp(`127\\.3\\.\\d+\\.\\d+\\D.*\\b${mark}\\b|\\b${mark}\\b.*\\D127\\.3\\.\\d+\\.\\d+\\b`),
  firstPoke(text) {
    const [, high, low] = /\D127\.2\.(\d+)\.(\d+)(?=[\s"])/.exec(text) ?? [];
    return low === undefined ? undefined : Number(high) * 256 + Number(low);
  },
};
