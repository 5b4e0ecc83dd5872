import type { Message } from '../../lib/model/message.ts';
import { JsonOutput } from '../../lib/output/json.ts';
import type { FindTool, Timed } from '../../lib/replay/recorded-messages.ts';
import { RecordedMessages } from '../../lib/replay/recorded-messages.ts';
import { CollectingWriter } from './collecting-writer.ts';

const nobody: FindTool = async () => undefined;

/** Messages as a recording has them; without option values, as `--json` prints them. */
export async function recorded(
  messages: readonly Message[],
  options?: Readonly<Record<string, unknown>>,
): Promise<string> {
  const writer = new CollectingWriter();
  const output = new JsonOutput(writer, { utc: true, ...(options !== undefined && { recorded: options }) });
  for (const message of messages) {
    await output.message(message);
  }
  return writer.text;
}

/** The messages of a recording. */
export async function played(text: string, find = nobody, fields?: readonly string[]): Promise<Message[]> {
  const reader = new RecordedMessages(find, fields);
  const found: Timed[] = [];
  let number = 0;
  for (const line of text.split('\n')) {
    number++;
    found.push(...(await reader.line({ text: line, number })));
  }
  return [...found, ...reader.end()].map(({ message }) => message);
}
