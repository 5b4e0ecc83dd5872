/**
 * This host cannot run guests: a program, a package or the network is missing. The message is what the probe said.
 * A guest that starts and then fails is never this error.
 */
export class VmUnavailable extends Error {
  override name = 'VmUnavailable';
}
