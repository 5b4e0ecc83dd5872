/** The one module that a tool's definition imports, besides the types of its own BPF object. */
export type { BpfObject } from './bpf/object.ts';
export { KscopeError } from './model/errors.ts';
export { signalName } from './model/kernel-names.ts';
export { hasOpenFlag, parseOpenFlag } from './model/types.ts';
export { softwareClock } from './native/perf-event.ts';
export { commonOptions, seconds } from './shapes/common-options.ts';
export { familyFilters, portFilters } from './shapes/connection-filters.ts';
export { custom } from './shapes/custom.ts';
export type { Tool } from './shapes/definition.ts';
export { filters } from './shapes/filters.ts';
export { histogram } from './shapes/histogram.ts';
export { choice, flag, integer, list, parseInteger, pattern, text } from './shapes/options.ts';
export { snoop } from './shapes/snoop.ts';
export { stacks } from './shapes/stacks.ts';
export { atLeastMilliseconds } from './shapes/thresholds.ts';
export { top } from './shapes/top.ts';
export { everyCpu } from './system/cpus.ts';
