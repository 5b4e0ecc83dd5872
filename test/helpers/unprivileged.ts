import { statSync } from 'node:fs';
import { built } from './run-tool.ts';

const { uid, gid } = statSync(built);

/** Spawn options of somebody who may read what was built and nothing more: its owner, or nobody where that is root. */
export const unprivileged = uid === 0 ? { uid: 65534, gid: 65534 } : { uid, gid };
