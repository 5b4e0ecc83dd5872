import type { BpfObject } from '../bpf/object.ts';
import type { RingBuffer } from '../bpf/ring-buffer.ts';
import type { SkeletonTypes } from '../bpf/skeleton.ts';
import type { JsonSchema } from '../model/json.ts';
import type { FieldTypes } from '../model/message.ts';
import { type SemanticType, semanticType } from '../model/types.ts';
import type { RecordHead } from '../probes/record.ts';
import type { CommonDefinition } from './common-definition.ts';
import type { Options } from './options.ts';

/** What is said of a tool whose programs are written at run time. */
export type GeneratedDefinition = Pick<
  CommonDefinition<SkeletonTypes, Options>,
  'summary' | 'area' | 'description' | 'overhead' | 'examples' | 'sample'
>;

/** Name of the program whose place they take. */
export const STUB = 'generated';

/** A type by its name in bpf/include/types.h, with other words of what it means. */
export function typeOf(name: string, help?: string): SemanticType {
  const type = semanticType(name) as SemanticType;
  return help === undefined ? type : { ...type, help };
}

/** Of what every record begins with. */
export const headTypes = {
  time: typeOf('boot_ns_t'),
  cpu: typeOf('cpu_t'),
  pid: typeOf('pid_t'),
  tid: typeOf('thread_t'),
  comm: typeOf('comm_t'),
};

/** The same of one record. @param bootToEpoch microseconds to add to a boot-time clock reading */
export function headFields({ bootTime, cpu, pid, tid, comm }: RecordHead, bootToEpoch: number) {
  return { time: Math.floor(bootTime / 1000) + bootToEpoch, cpu, pid, tid, comm };
}

/** The schema of events whose fields are these. */
export function typedEventSchema(types: FieldTypes): JsonSchema {
  const entries = Object.entries(types);
  return {
    type: 'object',
    properties: {
      type: { const: 'event' },
      ...Object.fromEntries(entries.map(([name, { help, schema }]) => [name, { description: help, ...schema }])),
    },
    required: ['type', ...entries.filter(([, one]) => !one.optional).map(([name]) => name)],
  };
}

/** The records of a loaded object as they are: what is in one depends on the program that wrote it. */
export function generatedRecords(object: BpfObject): RingBuffer<Uint8Array> {
  return object.ring('events', ({ bytes }, from, length) => Uint8Array.from(bytes.subarray(from, from + length)));
}
