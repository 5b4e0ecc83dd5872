import { openSync } from 'node:fs';
import { Writer } from '../../lib/output/writer.ts';

/** Keeps what is written to it. */
export class CollectingWriter extends Writer {
  text = '';

  constructor() {
    super(openSync('/dev/null', 'w'));
  }

  override write(text: string): Promise<void> | undefined {
    this.text += text;
    return undefined;
  }
}
