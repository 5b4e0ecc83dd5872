import { readlinkSync } from 'node:fs';
import { Actor } from './actor.ts';
import { anotherUser } from './another-user.ts';
import { cgroupOf, enterCgroup, TestCgroup } from './cgroup.ts';
import { PinnedSet } from './pinned-map.ts';

const CLONE_NEWNS = 0x20000;
const PR_SET_NAME = 15;

/** Processes of which each is unlike the others in one thing that tools filter by. */
export class Crowd implements AsyncDisposable {
  /** Whom `foreign` belongs to. */
  readonly user = anotherUser();
  /** Where `grouped` is; `nested` is in one below it. */
  readonly group = new TestCgroup();
  /** The cgroup of `grouped` alone. */
  readonly cgroups: PinnedSet;
  /** The mount namespace of `spaced`. */
  readonly namespaces: PinnedSet;

  readonly actors: Readonly<Record<Name, Actor>>;

  private constructor(actors: Readonly<Record<Name, Actor>>) {
    this.actors = actors;
    enterCgroup(this.group.path, actors.grouped.pid);
    enterCgroup(this.group.below('nested'), actors.nested.pid);
    this.cgroups = new PinnedSet([BigInt(cgroupOf(actors.grouped.pid))], 8);
    const namespace = readlinkSync(`/proc/${actors.spaced.pid}/ns/mnt`).replace(/\D/g, '');
    this.namespaces = new PinnedSet([BigInt(namespace)], 4);
  }

  /** `plain` has a second thread, `named` is called a-known-name. */
  static async start(): Promise<Crowd> {
    const actors = {
      plain: await Actor.start({ threads: 1 }),
      named: await Actor.start(),
      grouped: await Actor.start(),
      nested: await Actor.start(),
      spaced: await Actor.start(),
      foreign: await Actor.start(),
    };
    await actors.named.mustCall('prctl', PR_SET_NAME, 'a-known-name');
    await actors.spaced.mustCall('unshare', CLONE_NEWNS);
    const crowd = new Crowd(actors);
    const { uid } = crowd.user;
    await actors.foreign.mustCall('setresuid', uid, uid, uid);
    return crowd;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const actor of Object.values(this.actors)) {
      await actor[Symbol.asyncDispose]();
    }
    this.cgroups[Symbol.dispose]();
    this.namespaces[Symbol.dispose]();
    this.group[Symbol.dispose]();
  }
}

type Name = 'plain' | 'named' | 'grouped' | 'nested' | 'spaced' | 'foreign';
