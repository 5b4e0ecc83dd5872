import { KscopeError } from '../model/errors.ts';
import { commonOptions } from '../shapes/common-options.ts';
import type { Positional } from '../shapes/definition.ts';
import { flag } from '../shapes/options.ts';
import type { CommandSpec } from './command.ts';
import type { Registry } from './registry.ts';

/** What a command of kscope itself prints, and its exit status. */
export interface Answer {
  readonly text: string;
  readonly status: number;
  /** What is missing from the text, and why. */
  readonly problems?: readonly KscopeError[];
}

/** A command of kscope itself: not a tool, but described in the same way. */
export interface OwnCommand extends CommandSpec {
  readonly positionals: readonly OwnPositional[];
  /** Prints its answer itself, and resolves to the exit status. */
  run?(values: Readonly<Record<string, unknown>>, registry: Registry): Promise<number>;
  answer?(values: Readonly<Record<string, unknown>>, registry: Registry): Promise<Answer>;
}

export interface OwnPositional extends Positional {
  /** What completion offers. */
  readonly words: 'commands' | 'tools' | 'files' | readonly string[];
}

function parseSpeed(given: string): number {
  const value = /^\d+(\.\d+)?$/.test(given) ? Number(given) : Number.NaN;
  if (!(value >= 1 / 16 && value <= 4096)) {
    throw new KscopeError('usage', `'${given}' is not a number from 0.0625 to 4096`);
  }
  return value;
}

const asGiven = (text: string): string => text;
const { json } = commonOptions;
const shells = ['bash', 'zsh', 'fish'] as const;

/** Each is imported when it is asked for: starting a tool must not pay for them. */
export const ownCommands: Readonly<Record<string, OwnCommand>> = {
  list: {
    summary: 'List the tools by what they are about.',
    options: { json },
    positionals: [],
    examples: {},
    answer: async (values, registry) => (await import('./list.ts')).list(registry, values),
  },
  doctor: {
    summary: 'Say what this machine can trace and what stands in the way.',
    options: { json },
    positionals: [],
    examples: {},
    answer: async (values, registry) => (await import('./doctor.ts')).doctor(registry, values),
  },
  view: {
    summary: 'Play what --record or --json of a tool has written.',
    options: {
      fields: commonOptions.fields,
      time: commonOptions.time,
      utc: commonOptions.utc,
      text: flag('--text', 'print text, also on a terminal', { group: 'output' }),
      speed: {
        flags: '--speed <FACTOR>',
        summary: 'play this many times as fast as it was',
        parse: parseSpeed,
        group: 'output',
      },
      verbose: flag('-v, --verbose', 'say details of errors', { group: 'common' }),
    },
    positionals: [
      { key: 'file', name: '<file>', summary: 'a recording; - is standard input', parse: asGiven, words: 'files' },
    ],
    examples: {
      'trace.jsonl': "show what 'TOOL --record trace.jsonl' wrote",
      '-': 'show what comes in, as in: ssh HOST TOOL --json | kscope view -',
    },
    run: async (values, registry) => (await import('./view.ts')).view(registry, values),
  },
  schema: {
    summary: 'Print the JSON Schema of a line of --json.',
    options: {},
    positionals: [{ key: 'name', name: '<tool>', summary: 'name of a tool', parse: asGiven, words: 'tools' }],
    examples: {},
    answer: async (values, registry) => (await import('./schema.ts')).schema(registry, values),
  },
  types: {
    summary: 'Print the TypeScript types of a BPF object.',
    options: {},
    positionals: [
      { key: 'file', name: '<file>', summary: 'an object compiled with clang -g', parse: asGiven, words: 'files' },
    ],
    examples: { 'programs.bpf.o > programs.bpf.ts': "types for 'BpfObject.open' of the library" },
    answer: async (values) => (await import('./types.ts')).types(values),
  },
  completion: {
    summary: 'Print a completion script for a shell.',
    options: {},
    positionals: [{ key: 'shell', name: '<shell>', summary: shells.join(', '), parse: asGiven, words: shells }],
    examples: {
      bash: 'for ~/.bashrc: source <(kscope completion bash)',
      zsh: 'for ~/.zshrc: source <(kscope completion zsh)',
      fish: 'for config.fish: kscope completion fish | source',
    },
    answer: async (values, registry) => (await import('./completion.ts')).completion(registry, values),
  },
  help: {
    summary: 'Explain a tool or a command.',
    options: {},
    positionals: [
      { key: 'name', name: '[name]', summary: 'name of a tool or command', parse: asGiven, words: 'commands' },
    ],
    examples: {},
    answer: async (values, registry) => (await import('./help.ts')).help(registry, values),
  },
};
