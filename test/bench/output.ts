// Cost of a row from decoded values to text and to JSON, without the write.
import { compileObject } from '../../lib/output/json.ts';
import { compileRow } from '../../lib/output/text.ts';
import { column, fakeColumns, fakeRow, fakeTypes } from '../helpers/fake-tool.ts';

const rows = Array.from({ length: 1000 }, (_, i) => fakeRow(i));
const rounds = 1000;

function measure(name: string, format: (row: (typeof rows)[number]) => string): void {
  for (let run = 0; run < 3; run++) {
    const start = performance.now();
    let size = 0;
    for (let round = 0; round < rounds; round++) {
      let text = '';
      for (const row of rows) {
        text += format(row);
      }
      size += Buffer.from(text).length;
    }
    const time = performance.now() - start;
    console.log(`${name}: ${((time * 1e6) / (rounds * rows.length)).toFixed(0)} ns a row, ${size} bytes`);
  }
}

const style = { time: 'clock', utc: false } as const;
measure('text', compileRow(fakeColumns, style));
measure('text with time', compileRow([column('time', 'boot_ns_t'), ...fakeColumns], style));
measure('json', compileObject(Object.keys(rows[0] ?? {}), fakeTypes));
