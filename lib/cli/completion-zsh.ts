import {
  type Candidates,
  type CompletedCommand,
  type CompletedCommands,
  type CompletedOption,
  globalOptions,
} from './completion.ts';

/** One script for kscope and every tool: a file of $fpath, or to be sourced. */
export function zshCompletion({ tools, own }: CompletedCommands): string {
  const functions = [
    ...Array.from(tools, ([name, command]) => commandFunction(`_kscope_of_${name}`, command)),
    ...Array.from(own, ([name, command]) => commandFunction(`_kscope_own_${name}`, command)),
  ];
  const described = [...own, ...tools].map(
    ([name, { summary }]) => `\t\t${quote(`${name}:${summary.replace(/\.$/, '')}`)}`,
  );
  const names = ['kscope', ...tools.keys()].join(' ');
  return `#compdef ${names}
# zsh completion for kscope and its tools

${functions.join('\n')}
_kscope_commands() {
\tlocal -a commands=(
${described.join('\n')}
\t)
\t_describe -t commands command commands
}

_kscope() {
\tlocal name=\${words[1]:t}
\tif [[ $name == kscope ]]; then
\t\tif (( CURRENT == 2 )); then
\t\t\t_kscope_commands
\t\t\t_arguments -S ${globalOptions.flatMap(optionSpecs).join(' ')}
\t\t\treturn
\t\tfi
\t\tshift words
\t\t(( CURRENT-- ))
\t\tname=$words[1]
\t\tif (( $+functions[_kscope_own_$name] )); then
\t\t\t_kscope_own_$name
\t\t\treturn
\t\tfi
\tfi
\t(( $+functions[_kscope_of_$name] )) && _kscope_of_$name
}

if [[ $funcstack[1] == _kscope ]]; then
\t_kscope "$@"
else
\tcompdef _kscope ${names}
fi
`;
}

function commandFunction(name: string, command: CompletedCommand): string {
  const specs = [
    ...command.options.flatMap(optionSpecs),
    ...command.arguments.map((candidates, i) => quote(`${i + 1}:argument:${action('argument', candidates)}`)),
  ];
  return `${name}() {\n\t_arguments -s -S \\\n\t\t${specs.join(' \\\n\t\t')}\n}\n`;
}

/** One for each spelling: what one of them was given for is not offered again under the other. */
function optionSpecs(option: CompletedOption): string[] {
  const { short, long, summary, value, repeatable } = option;
  const others = repeatable ? '*' : short === undefined ? '' : `(${short} ${long})`;
  const rest = `[${backslash(summary, ':[]\\')}]${
    value === undefined ? '' : `:${backslash(value.name, ':\\')}:${action(value.name, value.candidates)}`
  }`;
  const spelled = value === undefined ? [short, long] : [short === undefined ? undefined : `${short}+`, `${long}=`];
  return spelled.filter((one) => one !== undefined).map((one) => quote(`${others}${one}${rest}`));
}

function action(name: string, candidates: Candidates): string {
  switch (candidates.kind) {
    case 'words': {
      const words = candidates.words.map((word) => backslash(word, ' \\:()[]"\'$`')).join(' ');
      return candidates.list ? `_values -s , ${name} ${words}` : `(${words})`;
    }
    case 'file':
      return '_files';
    case 'directory':
      return '_files -/';
    case 'pid':
      return '_pids';
    case 'user':
      return '_users';
    case 'none':
      return ' ';
  }
}

function backslash(text: string, special: string): string {
  return Array.from(text, (character) => (special.includes(character) ? `\\${character}` : character)).join('');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
