import { ipBytes } from './socket-address.ts';

export type DnsRecord = { readonly address: string } | { readonly alias: string };

/** What a name server answers to a question for a name. */
export function dnsAnswer(name: string, records: readonly DnsRecord[]): Buffer {
  const header = Buffer.from('12348180000100000000' + '0000', 'hex');
  header.writeUInt16BE(records.length, 6);
  const question = Buffer.concat([encodedName(name), Buffer.from('00010001', 'hex')]);
  return Buffer.concat([header, question, ...records.map(encodedRecord)]);
}

function encodedRecord(record: DnsRecord): Buffer {
  const data = 'address' in record ? Buffer.from(ipBytes(record.address)) : encodedName(record.alias);
  const head = Buffer.alloc(12);
  // The name is the one at the beginning of the question.
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE('alias' in record ? 5 : data.length === 4 ? 1 : 28, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function encodedName(name: string): Buffer {
  const labels = name.split('.').map((label) => {
    const bytes = Buffer.from(label, 'latin1');
    return Buffer.concat([Buffer.of(bytes.length), bytes]);
  });
  return Buffer.concat([...labels, Buffer.of(0)]);
}
