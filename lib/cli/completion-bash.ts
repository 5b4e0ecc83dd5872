import {
  type Candidates,
  type CompletedCommand,
  type CompletedCommands,
  globalOptions,
  spellings,
} from './completion.ts';

/** One script for kscope and every tool; needs nothing but bash. */
export function bashCompletion({ tools, own }: CompletedCommands): string {
  const commands = [...own.keys(), ...tools.keys()].sort();
  const functions = [
    ...Array.from(tools, ([name, command]) => commandFunction(name, command)),
    ...Array.from(own, ([name, command]) => commandFunction(ownName(name), command)),
  ];
  return `# bash completion for kscope and its tools

_kscope_words() {
\tlocal word
\tfor word in "$@"; do
\t\t[[ $word == "$cur"* ]] && COMPREPLY+=("$word")
\tdone
}

# Words after the last comma; those before it stay.
_kscope_list() {
\tlocal before=
\tif [[ $cur == *,* ]]; then
\t\tbefore=\${cur%,*},
\t\tcur=\${cur##*,}
\tfi
\t_kscope_words "$@"
\tCOMPREPLY=("\${COMPREPLY[@]/#/$before}")
\tcompopt -o nospace 2>/dev/null
}

_kscope_path() {
\tlocal line
\tcompopt -o filenames 2>/dev/null
\twhile IFS= read -r line; do
\t\tCOMPREPLY+=("$line")
\tdone < <(compgen "$1" -- "$cur")
}

_kscope_users() {
\tlocal line
\twhile IFS= read -r line; do
\t\tCOMPREPLY+=("$line")
\tdone < <(compgen -u -- "$cur")
}

_kscope_pids() {
\tlocal path
\tfor path in /proc/[0-9]*; do
\t\t_kscope_words "\${path#/proc/}"
\tdone
}

${functions.join('\n')}
_kscope() {
\tlocal cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} name=\${COMP_WORDS[0]##*/} position=1 glued=
\tCOMPREPLY=()
\t# '--option=value' is three words, or one if '=' breaks no words.
\tif [[ $cur == = ]]; then
\t\tcur=
\telif [[ $prev == = ]]; then
\t\tprev=\${COMP_WORDS[COMP_CWORD - 2]}
\telif [[ $cur == --*=* ]]; then
\t\tprev=\${cur%%=*}
\t\tglued=$prev=
\t\tcur=\${cur#*=}
\tfi
\tif [[ $name == kscope ]]; then
\t\tif ((COMP_CWORD == 1)); then
\t\t\t_kscope_words ${words([...commands, ...globalOptions.flatMap(spellings)])}
\t\t\treturn
\t\tfi
\t\tposition=2
\t\tname=\${COMP_WORDS[1]}
\t\tcase $name in
\t\t${[...own.keys()].join(' | ')}) name=kscope_$name ;;
\t\tesac
\tfi
\tif declare -F "_kscope_of_$name" >/dev/null; then
\t\t"_kscope_of_$name" $((COMP_CWORD - position))
\tfi
\t[[ -n $glued ]] && COMPREPLY=("\${COMPREPLY[@]/#/$glued}")
\treturn 0
}

complete -F _kscope kscope ${[...tools.keys()].join(' ')}
`;
}

// A command of kscope may be called like a tool's alias of another package: their functions are kept apart.
function ownName(name: string): string {
  return `kscope_${name}`;
}

function commandFunction(name: string, command: CompletedCommand): string {
  const cases = command.options
    .filter((option) => option.value !== undefined)
    .map((option) => `\t${spellings(option).join(' | ')})\n\t\t${offer(option.value?.candidates)}\n\t\treturn\n\t\t;;`);
  const options = command.options.flatMap(spellings);
  const [first] = command.arguments;
  const argument =
    first === undefined || first.kind === 'none' ? [] : [`\tif (($1 == 0)); then\n\t\t${offer(first)}\n\tfi`];
  return `_kscope_of_${name}() {
\tcase $prev in
${cases.join('\n')}
\tesac
${[...argument, `\t_kscope_words ${words(options)}`].join('\n')}
}
`;
}

function offer(candidates: Candidates | undefined): string {
  switch (candidates?.kind) {
    case 'words':
      return `${candidates.list ? '_kscope_list' : '_kscope_words'} ${words(candidates.words)}`;
    case 'file':
      return '_kscope_path -f';
    case 'directory':
      return '_kscope_path -d';
    case 'pid':
      return '_kscope_pids';
    case 'user':
      return '_kscope_users';
    default:
      return ':';
  }
}

function words(list: readonly string[]): string {
  return list.map((word) => (/^[\w.,:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}
