/** The public API: load any CO-RE object, and run the tools of the package from a program. */

export { Btf } from './bpf/btf.ts';
export { type Feature, type FeatureAnswer, featureNames, probeFeature } from './bpf/features.ts';
export { Globals } from './bpf/globals.ts';
export { canAttach } from './bpf/hooks.ts';
export { BpfLink } from './bpf/link.ts';
export { BpfMap } from './bpf/map.ts';
export { BpfObject, type OpenOptions } from './bpf/object.ts';
export { BpfProgram, type UserProbe } from './bpf/program.ts';
export { RingBuffer } from './bpf/ring-buffer.ts';
export { type ErrorCode, KscopeError } from './model/errors.ts';
export type { Message, Row } from './model/message.ts';
