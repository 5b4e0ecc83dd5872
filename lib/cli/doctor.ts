import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { type FeatureAnswer, featureNames, probeFeature } from '../bpf/features.ts';
import { libbpfVersion } from '../bpf/library-version.ts';
import { KscopeError } from '../model/errors.ts';
import { escapeText } from '../model/escape.ts';
import { renderCells } from '../output/table.ts';
import { checkTool, type ToolCheck } from '../shapes/check.ts';
import type { Tool } from '../shapes/definition.ts';
import { type Check, checkHost, type HostFacts } from './host-checks.ts';
import type { Answer } from './own-commands.ts';
import { permissionHints } from './permission.ts';
import type { Registry } from './registry.ts';

/** Everything the doctor found out. */
export interface Diagnosis {
  readonly checks: readonly Check[];
  readonly features: readonly ({ readonly name: string } & FeatureAnswer)[];
  readonly tools: readonly ({ readonly name: string } & ToolCheck)[];
}

/** `kscope doctor`: what this machine can trace. Status 0 if every tool can run, 3 if not. */
export async function doctor(registry: Registry, { json }: Readonly<Record<string, unknown>>): Promise<Answer> {
  const diagnosis = await diagnose(registry);
  return { text: json === true ? jsonLines(diagnosis) : report(diagnosis), status: isWell(diagnosis) ? 0 : 3 };
}

export function isWell({ checks, tools }: Diagnosis): boolean {
  return checks.every(({ state }) => state !== 'bad') && tools.every(({ problem }) => problem === undefined);
}

async function diagnose(registry: Registry): Promise<Diagnosis> {
  const library = checkLibrary();
  const checks = [...checkHost(thisHost()), library];
  // Without these nothing can be asked, and guesses would look like answers.
  const obstacle = checks.find(({ name, state }) => state === 'bad' && (name === 'libbpf' || name === 'capabilities'));
  const features = library.state === 'bad' ? [] : featureNames.map((name) => ({ name, ...probeFeature(name) }));
  const tools: ({ readonly name: string } & ToolCheck)[] = [];
  for (const name of registry.names()) {
    const check =
      obstacle === undefined ? await verdict(registry, name) : { hooks: [], problem: `see ${obstacle.name}` };
    tools.push({ name, ...check });
  }
  return { checks, features, tools };
}

async function verdict(registry: Registry, name: string): Promise<ToolCheck> {
  try {
    const tool: Tool = await registry.load(name);
    return checkTool(tool);
  } catch (error) {
    if (error instanceof KscopeError) {
      return { hooks: [], problem: error.message };
    }
    throw error;
  }
}

function thisHost(): HostFacts {
  return {
    nodeVersion: process.version,
    kernelRelease: release(),
    permissionHint: permissionHints().join(' '),
    read: (path) => {
      try {
        return readFileSync(path, 'utf8');
      } catch {
        return undefined;
      }
    },
    exists: existsSync,
  };
}

function checkLibrary(): Check {
  try {
    const version = libbpfVersion();
    const path = /\S*\/libbpf\.so\S*$/m.exec(readFileSync('/proc/self/maps', 'utf8'))?.[0];
    return { name: 'libbpf', state: 'good', found: path === undefined ? version : `${version}, ${path}` };
  } catch (error) {
    if (error instanceof KscopeError) {
      return { name: 'libbpf', state: 'bad', found: error.message, remedy: error.hints.join('; ') };
    }
    throw error;
  }
}

/** The diagnosis for people. */
export function report({ checks, features, tools }: Diagnosis): string {
  const parts = [
    table(
      ['CHECK', 'STATE', 'FOUND'],
      checks.map(({ name, state, found }) => [name, state, found]),
    ),
    table(
      ['FEATURE', 'KERNEL', 'REASON'],
      features.map(({ name, supported, reason }) => [name, answer(supported), reason]),
    ),
    table(
      ['TOOL', 'RUNS', 'HOOKS'],
      tools.map(({ name, hooks, problem }) => [
        name,
        problem === undefined ? 'yes' : 'no',
        problem ?? hooks.map(({ hook }) => hook).join(', '),
      ]),
    ),
  ];
  const remedies = checks.flatMap(({ name, remedy }) => (remedy === undefined ? [] : [`  ${name}: ${remedy}\n`]));
  if (remedies.length > 0) {
    parts.push(`What to do:\n${remedies.join('')}`);
  }
  return parts.filter((part) => part !== '').join('\n');
}

function table(headers: readonly string[], rows: readonly (readonly string[])[]): string {
  const columns = headers.map((header) => ({ header, align: 'left' as const }));
  return rows.length === 0
    ? ''
    : renderCells(
        columns,
        rows.map((row) => row.map(escapeText)),
      );
}

function answer(supported: boolean | undefined): string {
  return supported === undefined ? 'unknown' : supported ? 'yes' : 'no';
}

/** The diagnosis for programs: one object a line. */
export function jsonLines({ checks, features, tools }: Diagnosis): string {
  const lines = [
    ...checks.map((check) => ({ type: 'check', ...check })),
    // What cannot be told is null: JSON has no undefined.
    ...features.map(({ name, supported = null, reason }) => ({
      type: 'feature',
      name,
      supported,
      ...(reason === '' ? {} : { reason }),
    })),
    ...tools.map(({ name, hooks, problem }) => ({
      type: 'tool',
      name,
      runs: problem === undefined,
      hooks,
      ...(problem === undefined ? {} : { problem }),
    })),
  ];
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}
