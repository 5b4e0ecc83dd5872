import { connections } from './connections.ts';
import type { Workload } from './workload.ts';

/** The same, for tracers that tell of both ends. */
export const connectionEnds: Workload = { ...connections, eventsEach: 2 };
