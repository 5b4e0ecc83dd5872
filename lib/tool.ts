/** The one module that a tool's definition imports, besides the types of its own BPF object. */
export { bpfName } from './bpf/bpf-name.ts';
export { dropReason } from './bpf/drop-reasons.ts';
export { lacksStructure } from './bpf/hooks.ts';
export { kernelBtf } from './bpf/kernel-btf.ts';
export { kernelEnum } from './bpf/kernel-enum.ts';
export type { BpfObject } from './bpf/object.ts';
export { printedNames } from './bpf/printed-names.ts';
export { mapMemory, programCosts } from './bpf/program-info.ts';
export { requestFlags } from './bpf/request-flags.ts';
export { RunCounting } from './bpf/run-counting.ts';
export { softirqName } from './bpf/softirq-name.ts';
export { SyscallArguments } from './bpf/syscall-arguments.ts';
export { capabilityName } from './model/capabilities.ts';
export { commName } from './model/comm-name.ts';
export { parseDnsMessage } from './model/dns.ts';
export { DnsStreams } from './model/dns-streams.ts';
export { KscopeError } from './model/errors.ts';
export { escapeBytes, escapeText, unescapeText } from './model/escape.ts';
export { fileName } from './model/file-name.ts';
export { HostNames } from './model/host-names.ts';
export { formatEndpoint as endpoint } from './model/ip.ts';
export { errorName, signalName } from './model/kernel-names.ts';
export { LockOrder } from './model/lock-order.ts';
export { networkPolicies } from './model/network-policy.ts';
export { once } from './model/once.ts';
export { hasOpenFlag, parseOpenFlag } from './model/open-flags.ts';
export { hexLines, payloadLines } from './model/payload.ts';
export { ptraceRequest } from './model/ptrace-requests.ts';
export { parseSubnet } from './model/subnet.ts';
export { syscallNames, syscallNumbers } from './model/syscalls.ts';
export { Unanswered } from './model/unanswered.ts';
export { units } from './model/units.ts';
export { pageBytes } from './native/libc.ts';
export { kernelFunctions } from './probes/kernel-functions.ts';
export { listTracepoints, listUsdtProbes } from './probes/list.ts';
export { packetFilter } from './probes/packet-filter.ts';
export { nameMatcher } from './probes/pattern.ts';
export { replaceableResult } from './probes/replaceable.ts';
export { securityHooks } from './probes/security-hooks.ts';
export { tracepointFields } from './probes/tracepoint-format.ts';
export { atFunctionsTaking } from './shapes/argument-functions.ts';
export {
  atCallPoints,
  callPointName,
  callPointOptions,
  callPointsOptions,
  callPointWarnings,
} from './shapes/call-points.ts';
export { calls, functionValues } from './shapes/calls.ts';
export { capabilityFilter } from './shapes/capability-option.ts';
export {
  bufferPages,
  commonOptions,
  csvOption,
  durationOption,
  parseSeconds,
  runTime,
  seconds,
} from './shapes/common-options.ts';
export { familyFilters, namespaceFilters, portFilters } from './shapes/connection-filters.ts';
export type { Tool } from './shapes/definition.ts';
export { diskFilter } from './shapes/disk-filter.ts';
export { distributions } from './shapes/distributions.ts';
export {
  bytesMoved,
  directoryList,
  fileIoColumns,
  fileIoHooks,
  fileIoOrder,
  fileOpCalls,
  fileOpFunctions,
  hasOldCalls,
  setDirectories,
} from './shapes/file-io.ts';
export {
  fileSystemAliases,
  fileSystemHooks,
  fileSystemHooksWithGetattr,
  fileSystemType,
  prepareFileSystem,
} from './shapes/file-systems.ts';
export { cpuFilter, failedOnly, filters, nameContains, rowFilters } from './shapes/filters.ts';
export { byCounter, lacksCounters } from './shapes/hardware-counters.ts';
export { histogram } from './shapes/histogram.ts';
export { filtersByLists } from './shapes/id-lists.ts';
export { irqOptions } from './shapes/irq-options.ts';
export { atKernelReturns } from './shapes/kernel-returns.ts';
export { listing } from './shapes/listing.ts';
export { atMethods, methodName, methodNotes, methodOptions } from './shapes/methods.ts';
export { blockTimeOptions, offCpuOptions } from './shapes/off-cpu-options.ts';
export {
  accepted,
  choice,
  flag,
  integer,
  lettered,
  list,
  type Option,
  parseInteger,
  pattern,
  text,
} from './shapes/options.ts';
export { outstanding } from './shapes/outstanding.ts';
export { pageCache, pageUse } from './shapes/page-cache.ts';
export { probeEvents } from './shapes/probe-events.ts';
export {
  atKernelFunctions,
  atProbePoints,
  probePointCount,
  probePointName,
  probePointOptions,
  probePointWarnings,
} from './shapes/probe-points.ts';
export { atQueries, prepareQueries, queryOptions } from './shapes/queries.ts';
export { atRuntimes, languageAliases, libraryFunctions, runtimeOptions, timeColumn } from './shapes/runtimes.ts';
export { byClock, samplingOptions } from './shapes/sampling.ts';
export { signalSet } from './shapes/signal-set.ts';
export { snapshot } from './shapes/snapshot.ts';
export { snoop } from './shapes/snoop.ts';
export { distributionOption, specifications } from './shapes/specification-option.ts';
export { stackSideOptions } from './shapes/stack-sides.ts';
export { stackTableSize } from './shapes/stack-symbols.ts';
export { stacks } from './shapes/stacks.ts';
export { errorFilter, parseError, syscallFilter } from './shapes/syscall-options.ts';
export { atLeastMicroseconds, atLeastMilliseconds } from './shapes/thresholds.ts';
export { microseconds, milliseconds, nanoseconds } from './shapes/time-units.ts';
export { top } from './shapes/top.ts';
export {
  endColumns,
  sessionColumns,
  sessionDuration,
  trafficColumns,
  trafficPlans,
  trafficTotal,
} from './shapes/traffic.ts';
export { atFunctions, cLibrary, type UserFunctionValues } from './shapes/user-functions.ts';
export { withDistributions } from './shapes/with-distributions.ts';
export { blockDevices, deviceAttribute, realSource } from './system/block-devices.ts';
export { bpfHolders, type Holder } from './system/bpf-holders.ts';
export { cpuPressure } from './system/cgroup-pressure.ts';
export { now } from './system/clock.ts';
export { commandLineOf, commandOf } from './system/commands.ts';
export { everyCpu } from './system/cpus.ts';
export { diskName } from './system/disks.ts';
export { freeBytes } from './system/free-memory.ts';
export { cpuFrequencies } from './system/frequencies.ts';
export { exactLoads, loadAverages } from './system/load.ts';
export { memoryInfo } from './system/memory-info.ts';
export { mptcpEnabled } from './system/mptcp.ts';
export { hostNetwork } from './system/network-namespaces.ts';
export { nodesOfCpus } from './system/nodes.ts';
export { podsByNetwork } from './system/pods.ts';
export { kernelFunction, kernelFunctionExtent } from './system/symbols/kernel-function.ts';
export { lockFunctions } from './system/symbols/lock-functions.ts';
export { userFunction } from './system/symbols/user-function.ts';
export { terminalName, terminalNumber } from './system/terminals.ts';
export { vmCounters, vmUnit, vmUnitBytes } from './system/vm-counters.ts';
