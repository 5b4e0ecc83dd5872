/** A packet that was seen at an interface, as programs that analyze such want to know it. */
export interface Packet {
  /** Nanoseconds since the Unix epoch. */
  readonly time: bigint;
  /** What its bytes begin with. */
  readonly link: 'ethernet' | 'ip';
  /** What tells its interface from others that may have the same name. */
  readonly interface: string;
  readonly interfaceName: string;
  readonly outbound: boolean;
  /** Bytes that it had, of which `bytes` may be only the first. */
  readonly length: number;
  readonly bytes: Uint8Array;
  readonly comment?: string;
}
