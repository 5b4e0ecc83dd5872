import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { readSocketAddress, socketAddress } from './socket-address.ts';
import { mustSyscall, syscall } from './syscall.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

const SERVER = '/proc/fs/nfsd';
const CACHES = '/proc/net/rpc';
const [AF_INET, SOCK_STREAM] = [2, 1];
const HOUR = 3600;
/** In seconds. */
const SHORTEST_GRACE = '10';
/** Of an export: any port of a client, without waiting for the disk, all below it, and with a number instead of a disk. */
const FLAGS = 0x2 | 0x10 | 0x400 | 0x2000;

/** A folder that this machine has mounted from itself over NFS 4, while the kernel's server is the test's own. */
export class NfsFolder implements Disposable {
  /** Where it is mounted. */
  readonly path: string;
  readonly #place = new TemporaryDirectory('/dev/shm');
  readonly #undo: (() => void)[] = [];

  /** Skips the test where the kernel has no client or server, or where somebody else uses the server. */
  static mount(t: TestContext): NfsFolder | undefined {
    for (const name of ['nfsd', 'nfsv4']) {
      spawnSync('modprobe', [name]);
    }
    const known = readFileSync('/proc/filesystems', 'utf8').split(/\s+/);
    const missing = ['nfsd', 'nfs4'].find((name) => !known.includes(name));
    const busy = existsSync(`${SERVER}/threads`) && readFileSync(`${SERVER}/threads`, 'utf8') !== '0\n';
    if (missing === undefined && !busy) {
      return new NfsFolder();
    }
    t.skip(busy ? 'this machine serves NFS' : `the kernel has no ${missing}`);
    return undefined;
  }

  private constructor() {
    const folder = (name: string) => {
      const path = join(this.#place.path, name);
      mkdirSync(path);
      return path;
    };
    this.path = folder('mounted');
    const served = folder('served');
    try {
      if (!existsSync(`${SERVER}/threads`)) {
        mustSyscall('mount', 'nfsd', SERVER, 'nfsd', 0, 0);
        this.#undo.push(() => syscall('umount2', SERVER, 0));
      }
      tell('nfsv4recoverydir', folder('recovery'));
      tell('nfsv4gracetime', SHORTEST_GRACE);
      // The older ones want to be known to rpcbind(8).
      const older = readFileSync(`${SERVER}/versions`, 'utf8').match(/\b[23]\b/g) ?? [];
      tell('versions', older.map((version) => `-${version}`).join(' '));
      this.#export(served);
      const port = this.#serve();
      endGrace();
      const options = `vers=4.2,addr=127.0.0.1,clientaddr=127.0.0.1,port=${port},sec=sys,soft`;
      mustSyscall('mount', '127.0.0.1:/', this.path, 'nfs4', 0, options);
      this.#undo.push(() => mustSyscall('umount2', this.path, 0));
      // It waits until files may be opened.
      closeSync(openSync(join(this.path, 'first'), 'w'));
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    for (const undo of this.#undo.splice(0).reverse()) {
      undo();
    }
    this.#place[Symbol.dispose]();
  }

  /** Says what a daemon would say if the kernel asked: who the client is, and what is the root of all. */
  #export(path: string): void {
    const expiry = Math.floor(Date.now() / 1000) + HOUR;
    const say = (cache: string, line: string) => writeFileSync(`${CACHES}/${cache}/channel`, `${line}\n`);
    this.#undo.push(() => {
      for (const cache of readdirSync(CACHES).filter((name) => existsSync(`${CACHES}/${name}/flush`))) {
        writeFileSync(`${CACHES}/${cache}/flush`, `${expiry}\n`);
      }
    });
    say('auth.unix.ip', `nfsd 127.0.0.1 ${expiry} self`);
    say('nfsd.export', `self ${path} ${expiry} ${FLAGS} -2 -2 0`);
    say('nfsd.fh', `self 1 \\x00000000 ${expiry} ${path}`);
  }

  /** @returns the port */
  #serve(): number {
    const fd = mustSyscall('socket', AF_INET, SOCK_STREAM, 0);
    const address = socketAddress({ address: '127.0.0.1', port: 0 });
    mustSyscall('bind', fd, address, address.length);
    mustSyscall('listen', fd, 8);
    mustSyscall('getsockname', fd, address, new Uint8Array(Uint32Array.of(address.length).buffer));
    writeFileSync(`${SERVER}/portlist`, String(fd));
    mustSyscall('close', fd);
    this.#undo.push(() => tell('threads', '0'));
    tell('threads', '2');
    return readSocketAddress(address).port;
  }
}

/** Nobody was there before who could come back. Where nobody keeps a record of that, newer kernels wait all the same. */
function endGrace(): void {
  try {
    tell('v4_end_grace', 'Y');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') {
      throw error;
    }
  }
}

function tell(what: string, text: string): void {
  if (existsSync(`${SERVER}/${what}`)) {
    writeFileSync(`${SERVER}/${what}`, `${text}\n`);
  }
}
