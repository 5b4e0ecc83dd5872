/** A table of ACPI is bytes; these are the few that give processors frequencies. */

const PORT = 0xf00;

/**
 * The table (SSDT) with which processors of QEMU have several frequencies, in MHz and falling, as far as software can
 * tell: the processor does not become slower, but what sets frequencies (acpi-cpufreq) believes that it does.
 */
export function frequencyTable(cpus: number, frequencies: readonly number[]): Buffer {
  const states = frequencies.map((mhz, state) => pack([mhz, 1000, 10, 10, state, state].map(number)));
  const body = Buffer.concat(
    Array.from({ length: cpus }, (_, cpu) => {
      const device = `C${cpu.toString(16).toUpperCase().padStart(3, '0')}`;
      const inside = [
        named('_PCT', pack([port(PORT), port(PORT + 1)])),
        named('_PSS', pack(states)),
        named('_PPC', number(0)),
      ];
      const scope = Buffer.concat([Buffer.from(`\\/\x03_SB_CPUS${device}`, 'latin1'), ...inside]);
      return Buffer.concat([Buffer.of(0x10), lengthOf(scope), scope]);
    }),
  );
  const header = Buffer.alloc(36);
  header.write('SSDT\0\0\0\0\x02\0KSCOPEFREQUENC\x01\0\0\0KSCP\x01', 'latin1');
  header.writeUInt32LE(header.length + body.length, 4);
  const table = Buffer.concat([header, body]);
  table[9] = -table.reduce((sum, byte) => sum + byte, 0) & 0xff;
  return table;
}

function named(name: string, value: Buffer): Buffer {
  return Buffer.concat([Buffer.of(0x08), Buffer.from(name), value]);
}

function number(value: number): Buffer {
  const bytes = Buffer.of(0x0c, 0, 0, 0, 0);
  bytes.writeUInt32LE(value, 1);
  return bytes;
}

function pack(elements: readonly Buffer[]): Buffer {
  const inside = Buffer.concat([Buffer.of(elements.length), ...elements]);
  return Buffer.concat([Buffer.of(0x12), lengthOf(inside), inside]);
}

/** A register of 8 bits that is a port, as a buffer with its descriptor and the end of descriptors. */
function port(at: number): Buffer {
  const descriptor = Buffer.alloc(17);
  descriptor.set([0x82, 12, 0, 1, 8, 0, 1]);
  descriptor.writeUInt16LE(at, 7);
  descriptor[15] = 0x79;
  const inside = Buffer.concat([Buffer.of(0x0a, descriptor.length), descriptor]);
  return Buffer.concat([Buffer.of(0x11), lengthOf(inside), inside]);
}

/** Lengths count themselves: one byte up to 63, or else four bits in the first and eight in the second. */
function lengthOf({ length }: Buffer): Buffer {
  const all = length + 2;
  return length < 63 ? Buffer.of(length + 1) : Buffer.of(0x40 | (all & 15), all >> 4);
}
