import { ipBytes } from './socket-address.ts';

export type DnsRecord = { readonly address: string } | { readonly alias: string };

/** What a name server answers to a question for a name. */
export function dnsAnswer(name: string, records: readonly DnsRecord[]): Buffer {
  const header = Buffer.from('12348180000100000000' + '0000', 'hex');
  header.writeUInt16BE(records.length, 6);
  const question = Buffer.concat([encodedName(name), Buffer.from('00010001', 'hex')]);
  return Buffer.concat([header, question, ...records.map(encodedRecord)]);
}

/** A query for the records of a name. @param type as the protocol numbers it */
export function dnsQuery(id: number, name: string, type: number): Buffer {
  const header = Buffer.from('0000' + '01000001000000000000', 'hex');
  header.writeUInt16BE(id, 0);
  const end = Buffer.from('00000001', 'hex');
  end.writeUInt16BE(type, 0);
  return Buffer.concat([header, encodedName(name), end]);
}

/** What a name server answers to a query. @param flags of the header, without 0x8180: an answer, of a recursion */
export function dnsResponse(query: Buffer, flags: number, records: readonly DnsRecord[]): Buffer {
  const response = Buffer.concat([query, ...records.map(encodedRecord)]);
  response.writeUInt16BE(0x8180 | flags, 2);
  response.writeUInt16BE(records.length, 6);
  return response;
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
  const labels = name
    .split('.')
    .filter(Boolean)
    .map((label) => {
      const bytes = Buffer.from(label, 'latin1');
      return Buffer.concat([Buffer.of(bytes.length), bytes]);
    });
  return Buffer.concat([...labels, Buffer.of(0)]);
}
