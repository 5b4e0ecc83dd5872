/**
 * The public API: load any CO-RE object, and run the tools of the package from a program. What is not exported here may
 * change; lib/README.md shows how it is used.
 */

export { type Feature, type FeatureAnswer, featureNames, probeFeature } from './bpf/features.ts';
export type { Globals } from './bpf/globals.ts';
export { canAttach } from './bpf/hooks.ts';
export type { BpfLink } from './bpf/link.ts';
export type { BpfMap } from './bpf/map.ts';
export { BpfObject, type OpenOptions } from './bpf/object.ts';
export type { BpfProgram, UserProbe } from './bpf/program.ts';
export type { RingBuffer } from './bpf/ring-buffer.ts';
export { type ErrorCode, KscopeError } from './model/errors.ts';
export type { Message, Row } from './model/message.ts';
