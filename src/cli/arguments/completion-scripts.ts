/** Completion scripts made from the option table. Workers and checks are asked of the doctor itself when needed. */
import { COMMAND_TABLE, COMMANDS, type Command, type Option, optionsOf, type ValueKind } from './options.ts';

export const COMPLETED_SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof COMPLETED_SHELLS)[number];

const PROGRAMS = ['doctor', 'lock-doctor'];
const SUBCOMMANDS = COMMANDS.filter((name) => name !== 'doctor');

const flagsOf = (command: Command): readonly string[] =>
  optionsOf(command.name).flatMap(({ name, short }) => [
    `--${name}`,
    ...(short === undefined ? [] : [`-${short}`]),
  ]);

/** Options of any command that take a value, once each. */
const valued = (): readonly Option[] => [
  ...new Map(
    COMMAND_TABLE.flatMap(({ name }) => optionsOf(name))
      .filter(({ type }) => type !== 'flag')
      .map((option) => [option.name, option]),
  ).values(),
];

/** The kind of thing that stands in a command's positional places. */
const placeOf = ({ positionals: [first] }: Command): ValueKind | 'choices' | null =>
  first === undefined ? null : first.choices === undefined ? first.kind : 'choices';

// ── bash ─────────────────────────────────────────────────────────────────────────────────────────────────

const bashWords: Readonly<Record<ValueKind, string>> = {
  directory: 'compgen -d -- "$cur"',
  file: 'compgen -f -- "$cur"',
  worker: 'compgen -W "$(_doctor_ask workers)" -- "$cur"',
  check: 'compgen -W "$(_doctor_ask checks)" -- "$cur"',
  topic: 'compgen -W "$(_doctor_ask topics)" -- "$cur"',
  release: 'compgen -W "$(_doctor_ask releases)" -- "$cur"',
  text: 'true',
};

const wordList = (words: readonly string[]): string => `compgen -W "${words.join(' ')}" -- "$cur"`;

const bashPlace = (command: Command): string => {
  const place = placeOf(command);
  if (place === null) return 'true';
  return place === 'choices' ? wordList(command.positionals[0]?.choices ?? []) : bashWords[place];
};

const bash =
  (): string => `# bash completion of doctor; source it, or save it in ~/.local/share/bash-completion/completions/doctor
_doctor_ask() { "\${_doctor_program:-doctor}" completion "$1" "\${_doctor_town[@]}" 2>/dev/null; }
_doctor() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" command=doctor word IFS=$'\\n'
  local _doctor_program="\${COMP_WORDS[0]}" _doctor_town=() at
  for ((at = 1; at < COMP_CWORD; at++)); do
    word="\${COMP_WORDS[at]}"
    case "$word" in
      --) [[ $command == exec ]] && { COMPREPLY=($(compgen -c -f -- "$cur")); return; } ;;
      --town) _doctor_town=(--town "\${COMP_WORDS[at+1]}") ;;
      ${SUBCOMMANDS.join('|')}) [[ $command == doctor ]] && command="$word" ;;
    esac
  done
  case "$prev" in
${valued()
  .map((option) => {
    const names = [`--${option.name}`, ...(option.short === undefined ? [] : [`-${option.short}`])].join('|');
    const words = option.choices === undefined ? bashWords[option.kind ?? 'text'] : wordList(option.choices);
    return `    ${names}) COMPREPLY=($(IFS=$' \\n'; ${words})); return ;;`;
  })
  .join('\n')}
  esac
  if [[ $cur == -* ]]; then
    case "$command" in
${COMMAND_TABLE.map((command) => `      ${command.name}) COMPREPLY=($(IFS=$' \\n'; ${wordList(flagsOf(command))})) ;;`).join('\n')}
    esac
    return
  fi
  case "$command" in
${COMMAND_TABLE.map((command) =>
  command.name === 'doctor'
    ? `    doctor) COMPREPLY=($(IFS=$' \\n'; ${wordList(SUBCOMMANDS)}; ${bashPlace(command)})) ;;`
    : `    ${command.name}) COMPREPLY=($(IFS=$' \\n'; ${bashPlace(command)})) ;;`,
).join('\n')}
  esac
}
complete -o filenames -F _doctor ${PROGRAMS.join(' ')}
`;

// ── zsh ──────────────────────────────────────────────────────────────────────────────────────────────────

const zshText = (text: string): string => text.replaceAll("'", "'\\''").replace(/[[\]:]/g, '\\$&');

const zshAction: Readonly<Record<ValueKind, string>> = {
  directory: '_files -/',
  file: '_files',
  worker: '{_doctor_ask workers}',
  check: '{_doctor_ask checks}',
  topic: '{_doctor_ask topics}',
  release: '{_doctor_ask releases}',
  text: '',
};

const zshOption = (option: Option): readonly string[] => {
  const repeat = option.type === 'list' ? '*' : '';
  const value =
    option.type === 'flag'
      ? ''
      : `:${zshText((option.value ?? 'value').toLowerCase())}:${option.choices === undefined ? zshAction[option.kind ?? 'text'] : `(${option.choices.join(' ')})`}`;
  return [`--${option.name}`, ...(option.short === undefined ? [] : [`-${option.short}`])].map(
    (name) => `'${repeat}${name}[${zshText(option.summary)}]${value}'`,
  );
};

const zshPlaces = (command: Command): readonly string[] =>
  command.positionals.map(({ name, variadic, kind, choices }) => {
    const action = choices === undefined ? zshAction[kind] : `(${choices.join(' ')})`;
    return `'${variadic ? '*' : '1'}:${name}:${action}'`;
  });

const zshArguments = (command: Command): string =>
  [...optionsOf(command.name).flatMap(zshOption), ...zshPlaces(command)].join(' \\\n        ');

const zsh = (): string => `#compdef ${PROGRAMS.join(' ')}
# zsh completion of doctor; source it, or save it as _doctor in a directory of $fpath
_doctor_ask() {
  local -a found
  found=("\${(@f)$(\${words[1]:-doctor} completion $1 \${opt_args[--town]:+--town} \${opt_args[--town]:-} 2>/dev/null)}")
  compadd -a found
}
_doctor() {
  local -a commands
  commands=(
${COMMAND_TABLE.filter(({ name }) => name !== 'doctor')
  .map(({ name, summary }) => `    '${name}:${zshText(summary)}'`)
  .join('\n')}
  )
  local context state state_descr line
  typeset -A opt_args
  local command=\${words[(r)(${SUBCOMMANDS.join('|')})]}
  if [[ -n $command && \${words[CURRENT]} != $command ]]; then
    words=("\${words[1]}" "\${(@)words[2,-1]:#$command}")
    (( CURRENT-- ))
  fi
  case $command in
${COMMAND_TABLE.filter(({ name }) => name !== 'doctor')
  .map((command) => `    ${command.name})\n      _arguments -s \\\n        ${zshArguments(command)} ;;`)
  .join('\n')}
    *)
      (( CURRENT == 2 )) && _describe -t commands command commands
      _arguments -s \\
        ${zshArguments(COMMAND_TABLE[0] as Command)} ;;
  esac
}
if [[ $funcstack[1] == _doctor ]]; then _doctor "$@"; else compdef _doctor ${PROGRAMS.join(' ')}; fi
`;

// ── fish ─────────────────────────────────────────────────────────────────────────────────────────────────

const fishText = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;

const fishWords: Readonly<Record<ValueKind, string>> = {
  directory: `'(__fish_complete_directories)'`,
  file: '',
  worker: `'(__doctor_ask workers)'`,
  check: `'(__doctor_ask checks)'`,
  topic: `'(__doctor_ask topics)'`,
  release: `'(__doctor_ask releases)'`,
  text: '',
};

const fishCommand = (command: Command): readonly string[] => {
  const seen =
    command.name === 'doctor'
      ? `'not __fish_seen_subcommand_from ${SUBCOMMANDS.join(' ')}'`
      : `'__fish_seen_subcommand_from ${command.name}'`;
  const place = placeOf(command);
  const words =
    place === null
      ? ''
      : place === 'choices'
        ? fishText((command.positionals[0]?.choices ?? []).join(' '))
        : fishWords[place];
  return PROGRAMS.flatMap((program) => [
    ...(command.name === 'doctor'
      ? []
      : [
          `complete -c ${program} -f -n __fish_use_subcommand -a ${command.name} -d ${fishText(command.summary)}`,
        ]),
    ...(words === '' ? [] : [`complete -c ${program} -f -n ${seen} -a ${words}`]),
    ...optionsOf(command.name).map((option) => {
      const short = option.short === undefined ? '' : ` -s ${option.short}`;
      const kind = option.kind ?? 'text';
      const values = option.choices === undefined ? fishWords[kind] : fishText(option.choices.join(' '));
      const value =
        option.type === 'flag' ? '' : kind === 'file' ? ' -r' : ` -x${values === '' ? '' : ` -a ${values}`}`;
      return `complete -c ${program} -n ${seen} -l ${option.name}${short}${value} -d ${fishText(option.summary)}`;
    }),
  ]);
};

const fish = (): string => `# fish completion of doctor; save it as ~/.config/fish/completions/doctor.fish
function __doctor_ask
    set -l tokens (commandline -opc)
    set -l at (contains -i -- --town $tokens)
    set -l town
    test -n "$at"; and set town --town $tokens[(math $at + 1)]
    $tokens[1] completion $argv[1] $town 2>/dev/null
end
${COMMAND_TABLE.flatMap(fishCommand).join('\n')}
`;

const SCRIPTS: Readonly<Record<Shell, () => string>> = { bash, zsh, fish };

/** The script for one shell; `source` it, or save it where the shell looks for completions. */
export const completionScript = (shell: Shell): string => SCRIPTS[shell]();
