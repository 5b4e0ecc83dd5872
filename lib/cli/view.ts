import { isatty } from 'node:tty';
import { KscopeError } from '../model/errors.ts';
import type { Output } from '../output/output.ts';
import { TextOutput } from '../output/text.ts';
import { Player } from '../replay/player.ts';
import type { FindTool } from '../replay/recorded-messages.ts';
import { openSource } from '../replay/source.ts';
import { live } from './lifecycle.ts';
import type { Registry } from './registry.ts';
import type { RunnerValues } from './run.ts';

interface ViewValues extends Pick<RunnerValues, 'time' | 'utc'> {
  readonly file: string;
  readonly fields?: readonly string[];
  readonly verbose?: boolean;
}

/** `kscope view FILE`: plays what `--record` or `--json` wrote. Resolves to the exit status. */
export async function view(registry: Registry, values: Readonly<Record<string, unknown>>): Promise<number> {
  const given = values as unknown as ViewValues;
  return live('kscope view', given.verbose ?? false, async ({ stdout, status, end }) => {
    if (given.file === '-' && isatty(0)) {
      throw new KscopeError('usage', 'there is no recording on standard input', {
        hint: 'kscope view FILE, or: TOOL --json | kscope view -',
      });
    }
    const source = await openSource(given.file);
    const find: FindTool = async (name) => (registry.has(name) ? registry.load(name) : undefined);
    const player = new Player(source, {
      find,
      timed: false,
      ...(given.fields !== undefined && { fields: given.fields }),
    });
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
  });
}

/** Text as the tool printed it, or would have. */
function textOutput(
  writer: ConstructorParameters<typeof TextOutput>[0],
  given: ViewValues,
  recorded: Readonly<Record<string, unknown>>,
): Output {
  const formats = ['clock', 'rfc3339', 'unix', 'relative'] as const;
  const time = given.time ?? formats.find((format) => format === recorded.time) ?? 'clock';
  const utc = given.utc === true || recorded.utc === true;
  const stacks = { folded: recorded.folded === true, delimited: recorded.delimited === true };
  return new TextOutput(writer, { time, utc }, () => false, stacks);
}
