import { readdirSync, readFileSync, statSync } from 'node:fs';

/** As the kubelet names the cgroup of a pod, whoever makes it; that of a pod from a file has a digest in place of a UID. */
const podCgroup =
  /[/-]pod([0-9a-f]{8}([-_])[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?(?:\/|$)/m;

/** The UID of the pod whose cgroup /proc/PID/cgroup says. */
export function podIn(cgroups: string): string | undefined {
  return podCgroup.exec(cgroups)?.[1]?.replaceAll('_', '-');
}

/** The pods whose processes run here, by the inode of their network namespace: those that have one of their own. */
export function podsByNetwork(proc = '/proc'): ReadonlyMap<number, string> {
  const pods = new Map<number, Set<string>>();
  for (const pid of readdirSync(proc).filter((name) => /^\d+$/.test(name))) {
    try {
      const pod = podIn(readFileSync(`${proc}/${pid}/cgroup`, 'utf8'));
      if (pod !== undefined) {
        const { ino } = statSync(`${proc}/${pid}/ns/net`);
        pods.set(ino, (pods.get(ino) ?? new Set()).add(pod));
      }
    } catch {
      // It has ended.
    }
  }
  // The network of the host is that of several pods.
  return new Map(
    [...pods].flatMap(([ino, [pod, ...more]]) => (pod === undefined || more.length > 0 ? [] : [[ino, pod]])),
  );
}
