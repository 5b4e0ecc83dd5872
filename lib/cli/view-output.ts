import { accessSync, constants } from 'node:fs';
import { isatty } from 'node:tty';
import type { Playback } from '../model/playback.ts';
import { endByNode } from '../system/end.ts';
import { openView, type View } from '../view/open.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { RunnerValues } from './run.ts';

/** Why there can be no live view here, if there cannot. */
export function viewProblem(): string | undefined {
  if (!isatty(1)) {
    return 'a live view needs a terminal as standard output';
  }
  if ((process.env.TERM ?? 'dumb') === 'dumb') {
    return 'a live view needs a terminal that can move its cursor (TERM)';
  }
  return isatty(0) || canOpen('/dev/tty') ? undefined : 'a live view needs a terminal that keys can be read from';
}

function canOpen(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** A live view on the terminal that is standard output. One that plays a recording, or was asked for, stays at the end. */
export function openViewOutput(
  name: string,
  { time = 'clock', utc = false }: Pick<RunnerValues, 'time' | 'utc'>,
  { stdout, end }: Lifecycle,
  playback?: Playback,
): Promise<View> {
  endByNode();
  return openView({
    name,
    style: { time, utc },
    writer: stdout,
    end,
    stay: true,
    ...(playback !== undefined && { playback }),
  });
}
