import { test } from 'node:test';
import { explainLoadFailure } from '../../lib/bpf/load-error.ts';
import { assertGolden } from '../helpers/golden.ts';
import { recordedKernels, recordedRefusals } from '../helpers/recorded-refusals.ts';

for (const kernel of recordedKernels) {
  test(`what is said about refusals by Linux ${kernel}`, () => {
    const said = recordedRefusals(kernel).map(({ title, ...failure }) => {
      const { code, message, hints } = explainLoadFailure(failure);
      return [`${title}: ${code}`, message, ...hints.map((hint) => `hint: ${hint}`), ''].join('\n');
    });
    assertGolden(`refusals/${kernel}.txt`, said.join('\n'));
  });
}
