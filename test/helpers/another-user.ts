import { readFileSync } from 'node:fs';

/** A user besides root, by both of the ways to name one. */
export function anotherUser(): { readonly name: string; readonly uid: number } {
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n').reverse()) {
    const [name, , uid] = line.split(':');
    if (name !== undefined && Number(uid) > 0) {
      return { name, uid: Number(uid) };
    }
  }
  throw new Error('there is no user besides root');
}
