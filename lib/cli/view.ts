import { isatty } from 'node:tty';
import { KscopeError } from '../model/errors.ts';
import type { Output } from '../output/output.ts';
import { TextOutput } from '../output/text.ts';
import type { Writer } from '../output/writer.ts';
import { Player } from '../replay/player.ts';
import type { FindTool } from '../replay/recorded-messages.ts';
import { openSource } from '../replay/source.ts';
import { type Lifecycle, live } from './lifecycle.ts';
import type { Registry } from './registry.ts';
import type { RunnerValues } from './run.ts';
import { openViewOutput, viewProblem } from './view-output.ts';

interface ViewValues extends Pick<RunnerValues, 'time' | 'utc'> {
  readonly file: string;
  readonly fields?: readonly string[];
  readonly text?: boolean;
  readonly speed?: number;
  readonly verbose?: boolean;
}

const name = 'kscope view';

/** `kscope view FILE`: plays what `--record` or `--json` wrote. Resolves to the exit status. */
export function view(registry: Registry, values: Readonly<Record<string, unknown>>): Promise<number> {
  const given = values as unknown as ViewValues;
  return live(name, given.verbose ?? false, async (life) => {
    if (given.file === '-' && isatty(0)) {
      throw new KscopeError('usage', 'there is no recording on standard input', {
        hint: 'kscope view FILE, or: TOOL --json | kscope view -',
      });
    }
    const source = await openSource(given.file);
    const find: FindTool = async (tool) => (registry.has(tool) ? registry.load(tool) : undefined);
    const onScreen = given.text !== true && viewProblem() === undefined;
    const player = new Player(source, {
      find,
      // A pipe has its own time, and text is read when it is there.
      timed: onScreen && source.rewindable,
      ...(given.fields !== undefined && { fields: given.fields }),
      ...(given.speed !== undefined && { speed: given.speed }),
    });
    await (onScreen ? show(player, given, life) : print(player, given, life));
  });
}

async function show(player: Player, given: ViewValues, life: Lifecycle): Promise<void> {
  const { end } = life;
  const output = await openViewOutput(name, given, life, player);
  try {
    for await (const message of player.play(end.signal, true, () => output.ended())) {
      if (message.type === 'rewound') {
        output.rewound();
      } else {
        await output.message(message);
      }
    }
    await output.rendered();
  } finally {
    output.close();
  }
}

async function print(player: Player, given: ViewValues, { stdout, status, end }: Lifecycle): Promise<void> {
  let output: Output | undefined;
  try {
    for await (const message of player.play(end.signal, false)) {
      if (message.type !== 'rewound') {
        output ??= textOutput(stdout, given, player.options);
        if (message.type !== 'ready') {
          status.message(message);
        }
        await output.message(message);
      }
    }
  } finally {
    await output?.rendered?.();
  }
}

/** Text as the tool printed it, or would have. */
function textOutput(writer: Writer, given: ViewValues, recorded: Readonly<Record<string, unknown>>): Output {
  const formats = ['clock', 'rfc3339', 'unix', 'relative'] as const;
  const time = given.time ?? formats.find((format) => format === recorded.time) ?? 'clock';
  const utc = given.utc === true || recorded.utc === true;
  const stacks = { folded: recorded.folded === true, delimited: recorded.delimited === true };
  return new TextOutput(writer, { time, utc }, () => false, stacks);
}
