import { objectSpec } from '../bpf/object-file.ts';
import type { RowSchema, ValueSchema } from '../bpf/schema.ts';
import type { Skeleton } from '../bpf/skeleton.ts';
import { KscopeError } from '../model/errors.ts';
import type { Message, Row } from '../model/message.ts';
import { now } from '../system/clock.ts';
import { activityOf, warningsOf } from './common-definition.ts';
import { type DefinedSession, startDefined } from './defined-session.ts';
import { DeltaReader, type GrowingAmounts } from './deltas.ts';
import { intervalEnds } from './intervals.ts';
import { Demands } from './on-demand.ts';
import type { Session } from './session.ts';

/** Key and value of a map, both as structures; a plain key is one field named `key`. */
export interface MapRows {
  readonly key: RowSchema | undefined;
  readonly value: RowSchema;
}

/** @throws KscopeError failed when the map is not there or its value is no structure */
export function mapRows(skeleton: Skeleton, map: string): MapRows {
  const schemas = objectSpec(skeleton).maps.get(map);
  const value = rowOf(schemas?.value);
  if (schemas === undefined || value === undefined) {
    throw new KscopeError('failed', `the BPF object of ${skeleton.name} has no map '${map}' of structures`);
  }
  return { key: rowOf(schemas.key), value };
}

function rowOf(schema: RowSchema | ValueSchema | undefined): RowSchema | undefined {
  return schema === undefined || 'fields' in schema
    ? schema
    : schema.shape.kind === 'struct'
      ? schema.shape.row
      : undefined;
}

/** Signals at which there is an output in between: what was gained since the output before. */
export interface ShowingSignals {
  readonly ends: NodeJS.Signals;
  /** After this one the next output shows the same once more, and what comes. */
  readonly keeps: NodeJS.Signals;
}

export interface Aggregation extends DefinedSession {
  readonly map: string;
  /** Seconds between outputs when the user gives none; undefined waits for the end. */
  readonly usualInterval?: number;
  readonly growing?: GrowingAmounts;
  readonly shownOn?: ShowingSignals;
  ready(session: Session): Message;
  /** What to say of the gains of one interval: key and value fields in one row. */
  messages(rows: Row[], session: Session): Iterable<Message>;
}

/** The life of a tool that reads a map at each interval. */
export async function* aggregate(run: Aggregation): AsyncGenerator<Message, void, void> {
  const { context, definition, skeleton } = run;
  const schemas = mapRows(skeleton, run.map);
  // Before anybody is told that there is somebody to ask.
  using demands = run.shownOn && new Demands(run.shownOn.ends, run.shownOn.keeps);
  using session = startDefined(run);
  const reader = new DeltaReader(session.object.map(run.map), schemas.value, run.growing);
  yield run.ready(session);
  yield* warningsOf(definition, context.values);
  const ends = intervalEnds(context.values, run.usualInterval ?? context.refresh, context.signal);
  for await (const end of demands?.among(ends) ?? ends) {
    const last = typeof end !== 'string' && end.last;
    if (last) {
      session.object.detach();
    }
    const rows = reader.read(typeof end === 'string' && end === run.shownOn?.keeps).map(({ key, value }) => ({
      ...(typeof key === 'object' ? (key as Row) : { key }),
      ...value,
    }));
    yield* run.messages(rows, session);
    yield* session.losses(last);
  }
}

/** The ready message of a tool without a table of its own. */
export function readyMessage(run: Pick<Aggregation, 'skeleton' | 'definition'>, session: Session): Message {
  return {
    type: 'ready',
    tool: run.skeleton.name,
    activity: activityOf(run.definition),
    time: now(),
    hooks: session.hooks,
    columns: [],
    types: {},
  };
}
