import type { TestEvent } from 'node:test/reporters';
import type { ReportLine } from './report.ts';

/** A reporter for `node --test` that writes one JSON object a line for the host to read back. */
export default async function* reporter(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    const line = toLine(type, data as unknown as EventData);
    if (line) yield `${JSON.stringify(line)}\n`;
  }
}

/** What we read of the events, which differ between versions of Node. */
interface EventData {
  file?: string;
  name?: string;
  nesting?: number;
  message?: string;
  skip?: string | boolean;
  todo?: string | boolean;
  details?: { duration_ms?: number; type?: string; error?: Error & { failureType?: string } };
}

function toLine(type: string, data: EventData): ReportLine | undefined {
  const { file = '', name = '', nesting = 0 } = data;
  switch (type) {
    case 'test:start':
      return { type: 'start', file, name, nesting };
    case 'test:dequeue':
      return { type: 'running', file, name, nesting };
    case 'test:stdout':
    case 'test:stderr':
      return { type: 'output', file, text: data.message ?? '' };
    case 'test:diagnostic':
      return { type: 'note', file, text: data.message ?? '' };
    case 'test:pass':
    case 'test:fail': {
      const { duration_ms: duration = 0, type: kind, error } = data.details ?? {};
      return {
        ...{ type: 'end', file, name, nesting, duration, passed: type === 'test:pass', suite: kind === 'suite' },
        ...(data.skip !== undefined && data.skip !== false && { skip: String(data.skip) }),
        ...(data.todo !== undefined && data.todo !== false && { todo: String(data.todo) }),
        ...(error && { error: explain(error), failureType: error.failureType ?? '' }),
      };
    }
    default:
      return undefined;
  }
}

function explain(error: Error): { message: string; stack: string } {
  // The runner wraps what the test threw.
  const cause = error.cause ?? error;
  if (!(cause instanceof Error) && !(typeof cause === 'object' && cause !== null && 'message' in cause)) {
    return { message: String(cause), stack: '' };
  }
  const { message, stack } = cause as Error;
  return { message: String(message), stack: String(stack ?? '') };
}
