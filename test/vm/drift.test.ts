import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { before } from 'node:test';
import { Registry } from '../../lib/cli/registry.ts';
import { describeRelocation, resolves } from '../helpers/core-relocations.ts';
import { type Drift, DriftObject, driftOf, KernelImage, prototypes } from './drift.ts';
import { fetchKernel, kernelSeries } from './fetch.ts';
import { repository } from './paths.ts';
import { onCi } from './start-or-skip.ts';
import { VmUnavailable } from './unavailable.ts';

const tools = await new Registry().loadAll();
const objects = new Map<string, DriftObject>();
for (const { skeleton } of tools.values()) {
  objects.set(skeleton.name, new DriftObject(join(repository, 'dist/bpf/x86', `${skeleton.name}.bpf.o`)));
}
const kernels: KernelImage[] = [];
let unavailable: string | undefined;

before(async () => {
  try {
    for (const name of kernelSeries) {
      const { vmlinux, directory, release } = await fetchKernel(name);
      kernels.push(KernelImage.read(name, vmlinux, join(directory, 'lib/modules', release)));
    }
  } catch (error) {
    if (!(error instanceof VmUnavailable) || onCi) throw error;
    unavailable = error.message;
  }
});

test('every tool finds what it reads in each kernel that has its hooks', (t) => {
  if (unavailable !== undefined) return t.skip(unavailable);
  const all = [...tools].flatMap(([name, tool]) =>
    kernels.map((kernel) => driftOf(name, tool, objects.get(tool.skeleton.name) as DriftObject, kernel)),
  );
  const report = reportOf(all);
  mkdirSync(join(repository, '.cache'), { recursive: true });
  writeFileSync(join(repository, '.cache/drift.md'), report);
  t.diagnostic('the whole report is in .cache/drift.md');
  const broken = all.flatMap(({ tool, kernel, refused }) =>
    refused.filter(({ covered }) => !covered).map(({ program, why }) => `${tool} on ${kernel}: ${program}: ${why}`),
  );
  assert.deepEqual(broken, []);
  const nowhere = [...tools.keys()].filter((name) =>
    all.every(({ tool, unsupported }) => tool !== name || unsupported !== undefined),
  );
  assert.deepEqual(nowhere, [], 'tools that no kernel of the matrix can run');
});

test('what the programs look for is a type, a field or a value of some kernel', (t) => {
  if (unavailable !== undefined) return t.skip(unavailable);
  const found = new Map<string, boolean>();
  for (const [name, { local, relocations }] of objects) {
    for (const relocation of relocations) {
      const what = `${name}: ${describeRelocation(local, relocation)}`;
      if (!found.has(what))
        found.set(
          what,
          kernels.some(({ types }) => resolves(local, types, relocation)),
        );
    }
  }
  assert.ok(found.size > 1000);
  // What no kernel has is a mistake here: a name, or a structure of ours that is taken for the kernel's.
  assert.deepEqual(
    [...found].filter(([, there]) => !there).map(([what]) => what),
    [],
  );
});

test('results of functions are where the programs look for them', (t) => {
  if (unavailable !== undefined) return t.skip(unavailable);
  // fexit finds the result behind the last argument, which is another place when a function gets one more.
  const moved = [...objects].flatMap(([name, object]) =>
    object.programs.flatMap((program) => {
      const reads = kernels.map((kernel) => object.readsResult(program, kernel));
      return reads.includes(true) && reads.includes(false) ? [`${name}: ${program.name}: ${reads.join(', ')}`] : [];
    }),
  );
  assert.deepEqual(moved, []);
});

test('a field that is gone is missed by the tools that have no other way', (t) => {
  if (unavailable !== undefined) return t.skip(unavailable);
  const kernel = kernels.find(({ name }) => name === '6.1') as KernelImage;
  const drift = (name: string, without: KernelImage): Drift => {
    const tool = tools.get(name);
    assert.ok(tool);
    return driftOf(name, tool, objects.get(tool.skeleton.name) as DriftObject, without);
  };
  assert.deepEqual(drift('execsnoop', kernel).refused, []);
  const [refused] = drift('execsnoop', kernel.without('mm_struct')).refused;
  assert.match(refused?.why ?? '', /there is no mm_struct\.arg_start/);
  assert.equal(refused?.covered, false);
  // A module's types are told by the module.
  assert.ok(kernel.types.named('trace_event_raw_kvm_exit').length > 0);
  assert.deepEqual(kernel.types.without('trace_event_raw_kvm_exit').named('trace_event_raw_kvm_exit'), []);
  // Without this one the older way is taken.
  assert.deepEqual(drift('execsnoop', kernel.without('bpf_func_id')).refused, []);
});

/** What has moved, and what that means for each tool. */
function reportOf(all: readonly Drift[]): string {
  const names = kernels.map(({ name }) => name);
  const lines = ['# What moved between the kernels', '', '## Tools', ''];
  lines.push(
    ...table(
      ['tool', ...names],
      rowsOf(all, (drift) => verdict(drift)),
    ),
  );
  lines.push('', '## Fields, types and values that a kernel lacks', '');
  const fields = [...new Set(all.flatMap(({ absent }) => absent))].sort();
  lines.push(
    ...table(
      ['', ...names, 'read by'],
      fields.map((field) => {
        const readers = all.filter(({ absent }) => absent.includes(field));
        const cells = names.map((name) => (readers.some(({ kernel }) => kernel === name) ? 'absent' : ''));
        return [field, ...cells, [...new Set(readers.map(({ tool }) => tool))].join(', ')];
      }),
    ),
  );
  lines.push('', '## Hooks with other arguments', '');
  for (const [hook, arguments_] of prototypes(objects.values(), kernels)) {
    if (new Set(arguments_).size < 2) continue;
    lines.push(`${hook}:`, '');
    for (const [i, one] of arguments_.entries())
      lines.push(`- ${names[i]}: ${one === undefined ? 'absent' : `(${one})`}`);
    lines.push('');
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

function verdict({ unsupported, refused, hooks }: Drift): string {
  if (unsupported !== undefined) return unsupported;
  const broken = refused.find(({ covered }) => !covered);
  return broken === undefined ? hooks.join(', ') : `BROKEN: ${broken.why}`;
}

function rowsOf(all: readonly Drift[], cell: (drift: Drift) => string): string[][] {
  return [...new Set(all.map(({ tool }) => tool))].map((name) => [
    name,
    ...all.filter(({ tool }) => tool === name).map(cell),
  ]);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}
