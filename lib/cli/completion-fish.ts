import {
  type Candidates,
  type CompletedCommand,
  type CompletedCommands,
  type CompletedOption,
  globalOptions,
} from './completion.ts';

/** One script for kscope and every tool. */
export function fishCompletion({ tools, own }: CompletedCommands): string {
  const lines = ['# fish completion for kscope and its tools', '', 'complete -c kscope -f'];
  for (const option of globalOptions) {
    lines.push(`complete -c kscope -n __fish_use_subcommand ${optionWords(option)}`);
  }
  for (const [name, { summary }] of [...own, ...tools]) {
    lines.push(`complete -c kscope -n __fish_use_subcommand -a ${name} -d ${quote(summary.replace(/\.$/, ''))}`);
  }
  for (const [name, command] of own) {
    lines.push(...commandLines(`-c kscope -n '__fish_seen_subcommand_from ${name}'`, command));
  }
  for (const [name, command] of tools) {
    lines.push('', `complete -c ${name} -f`);
    lines.push(...commandLines(`-c ${name}`, command));
    // '-w' would offer the names of the commands again.
    lines.push(...commandLines(`-c kscope -n '__fish_seen_subcommand_from ${name}'`, command));
  }
  return `${lines.join('\n')}\n`;
}

function commandLines(target: string, command: CompletedCommand): string[] {
  const options = command.options.map((option) => `complete ${target} ${optionWords(option)}`);
  const [first] = command.arguments;
  const argument = first === undefined || first.kind === 'none' ? [] : [`complete ${target} ${candidateWords(first)}`];
  return [...options, ...argument];
}

function optionWords({ short, long, summary, value }: CompletedOption): string {
  const words = [`-l ${long.slice(2)}`];
  if (short !== undefined) {
    words.unshift(`-s ${short.slice(1)}`);
  }
  if (value !== undefined) {
    words.push(value.candidates.kind === 'file' ? '-r -F' : `-x ${candidateWords(value.candidates)}`.trimEnd());
  }
  return [...words, `-d ${quote(summary)}`].join(' ');
}

function candidateWords(candidates: Candidates): string {
  switch (candidates.kind) {
    case 'words':
      return `-a ${quote(candidates.words.map((word) => word.replace(/[\s'"\\$()*?~#;<>|&{}]/g, '\\$&')).join(' '))}`;
    case 'file':
      return '-F';
    case 'directory':
      return "-a '(__fish_complete_directories)'";
    case 'pid':
      return "-a '(__fish_complete_pids)'";
    case 'user':
      return "-a '(__fish_complete_users)'";
    default:
      return '';
  }
}

function quote(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}
