/** `doctor init`: shows what would help in this town, and writes what is asked for. */
import { existsSync, realpathSync } from 'node:fs';
import { basename, isAbsolute } from 'node:path';
import { count } from '../../../core/report/amounts.ts';
import { EXIT } from '../../../core/types/report.ts';
import { findTown } from '../../../diagnose.ts';
import { callersHome } from '../../../io/home-directory.ts';
import { describeFailure } from '../../../io/programs/describe-failure.ts';
import { type Canvas, createCanvas } from '../../../reporters/screen/canvas.ts';
import { changedLines } from '../../init/changed-lines.ts';
import { type FileState, isRepositoryTop, stateOf, writePart } from '../../init/part-files.ts';
import type { PartName } from '../../init/part-names.ts';
import { type Part, type PartFile, partsOf, type Surroundings } from '../../init/parts.ts';
import { lookOptionsOf, townNamedBy } from '../../options-of.ts';
import { pickAmong, withQuestions } from '../../terminal/consent.ts';
import { canAsk, presentationFor, type RunCommand, type Terminal } from '../../terminal/terminal.ts';

/**
 * `doctor init`: shows each part; writes those of `--write`, or at a terminal those that are agreed to. Exit code 1 where
 * something that was to be written was not.
 */
export const run: RunCommand<'init'> = async (given, terminal) => {
  const { town } = findTown(townNamedBy(given, given.positionals[0]), lookOptionsOf(given, terminal));
  const presentation = await presentationFor(given, terminal, terminal.stdout);
  const canvas = createCanvas(presentation);
  const parts = partsOf(surroundings(town.root, terminal.env));
  const asked: readonly PartName[] = given.options.write;
  if (asked.length > 0)
    return writeParts(
      parts.filter(({ name }) => asked.includes(name)),
      canvas,
    );
  const open = parts.filter((part) => part.files.some((file) => isOpen(look(file))));
  const shown = textOf(parts.flatMap((part) => show(part, canvas)));
  if (open.length === 0 || !canAsk(terminal) || !terminal.stdout.isTTY) {
    const names = open.map(({ name }) => name).join(',');
    const next =
      open.length === 0
        ? 'Nothing to write.'
        : `Write with: ${canvas.command(['doctor', 'init', '--write', names, '--town', town.root])}`;
    return { exitCode: EXIT.ok, stdout: `${shown}${next}\n`, stderr: '' };
  }
  terminal.stdout.write(shown);
  const chosen = await choose(open, terminal, await presentationFor(given, terminal, terminal.stderr));
  return writeParts(chosen, canvas);
};

const writeParts = (parts: readonly Part[], canvas: Canvas) => {
  const results = parts.map((part) => write(part, canvas));
  return {
    exitCode: results.every(({ isDone }) => isDone) ? EXIT.ok : EXIT.problems,
    stdout: parts.length === 0 ? 'Nothing was written.\n' : textOf(results.flatMap(({ lines }) => lines)),
    stderr: '',
  };
};

const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

const surroundings = (root: string, env: NodeJS.ProcessEnv): Surroundings => {
  const absolute = (path: string | undefined): string | null =>
    path !== undefined && isAbsolute(path) ? path : null;
  return {
    root,
    isRepository: isRepositoryTop(root),
    home: absolute(env.HOME) ?? callersHome(),
    configHome: absolute(env.XDG_CONFIG_HOME),
    dataHome: absolute(env.XDG_DATA_HOME),
    shell: basename(env.SHELL ?? ''),
    // As sd_booted(3) tells.
    hasSystemd: existsSync('/run/systemd/system'),
    program: ownProgram(),
  };
};

/** A file that cannot be read counts as taken. */
const look = (file: PartFile): FileState => {
  try {
    return stateOf(file);
  } catch (error) {
    return { kind: 'taken', why: `it cannot be read: ${describeFailure(error)}` };
  }
};

/** True if something can be written. */
const isOpen = (state: FileState): boolean => state.kind === 'missing' || 'after' in state;

const stateWords = (state: FileState): string => {
  switch (state.kind) {
    case 'missing':
      return 'new file';
    case 'there':
      return 'already there';
    case 'addable':
      return 'this would be added';
    case 'renewable':
      return 'our earlier one would be replaced';
    case 'taken':
      return `unchanged: ${state.why}`;
  }
};

/** All parts have to fit on one or two screens: of a longer text, such as a completion script, only the beginning is shown. */
const MAX_LINES = 60;
const LINES_SHOWN = 3;

/** The part's name and purpose, then each file with its state, and its text where the file is missing. */
const show = (part: Part, canvas: Canvas): readonly string[] => {
  const [first = '', ...more] = canvas.flow(0, `${part.name}: ${part.what}`);
  return [
    first.replace(part.name, canvas.bold),
    ...more,
    ...part.files.flatMap((file) => {
      const state = look(file);
      return [
        ...canvas.flow(2, canvas.safe(`${file.path} (${stateWords(state)})`)),
        ...textLines(file, state).map((line) => canvas.dim(`    ${canvas.safe(line)}`.trimEnd())),
      ];
    }),
    ...besides(part, canvas),
    '',
  ];
};

/** Lines to be pasted are not wrapped: half a command would run. */
const besides = ({ after, paste = [] }: Part, canvas: Canvas): readonly string[] => [
  ...after.flatMap((sentence) => canvas.flow(2, canvas.safe(sentence))),
  ...paste.map((line) => `      ${canvas.safe(line)}`),
];

const textLines = ({ text }: PartFile, state: FileState): readonly string[] => {
  if (state.kind === 'there') return [];
  if ('after' in state) return changedLines(state.before, state.after);
  const lines = text.trimEnd().split('\n');
  return lines.length > MAX_LINES
    ? [...lines.slice(0, LINES_SHOWN), `... (${lines.length - LINES_SHOWN} more lines)`]
    : lines;
};

interface Written {
  readonly isDone: boolean;
  readonly lines: readonly string[];
}

const write = (part: Part, canvas: Canvas): Written => {
  const { name, files } = part;
  if (files.length === 0)
    return { isDone: false, lines: [`${name}: doctor can write nothing here`, ...besides(part, canvas)] };
  const results = files.map((file): { readonly isDone: boolean; readonly line: string } => {
    const said = (text: string): string => canvas.safe(`${name}: ${file.path} ${text}`);
    try {
      const state = look(file);
      if (!isOpen(state)) return { isDone: state.kind === 'there', line: said(stateWords(state)) };
      const kept = writePart(file, state);
      if (kept !== null) {
        const did = state.kind === 'renewable' ? 'renewed' : 'added';
        return { isDone: true, line: said(`hook ${did} (backup: ${kept})`) };
      }
      return { isDone: true, line: said(state.kind === 'addable' ? 'line added' : 'written') };
    } catch (error) {
      return { isDone: false, line: said(`not written: ${describeFailure(error)}`) };
    }
  });
  const isDone = results.every((result) => result.isDone);
  return {
    isDone,
    lines: [...results.flatMap(({ line }) => canvas.flow(0, line)), ...(isDone ? besides(part, canvas) : [])],
  };
};

/** The parts that are agreed to: all of them, none, or those that are picked. */
const choose = (
  open: readonly Part[],
  terminal: Terminal,
  presentation: Parameters<typeof withQuestions>[1],
): Promise<readonly Part[]> =>
  withQuestions(terminal, presentation, async ({ ask, say }) => {
    const [several, pick] =
      open.length > 1 ? [`these ${count(open.length, 'part')}`, ', [p]ick'] : ['it', ''];
    const names = open.map(({ name }) => name).join(', ');
    const picked = await pickAmong(open, {
      ask: () => ask(`Write ${several} (${names})?`, `[y]es, [N]o${pick}: `),
      help: () =>
        say([
          '  y  write them; what is there stays, or is kept beside it',
          '  N  write nothing (also: Enter)',
          ...(open.length > 1 ? ['  p  decide for each of them'] : []),
        ]),
      askOne: ({ name }) => ask(`Write ${name}?`, '[y]es, [N]o: '),
    });
    return picked ?? [];
  });

/** Put in place by the bundler; see `scripts/executable/`. */
declare const LOCK_DOCTOR_EXECUTABLE: boolean | undefined;

/** The words in front of its arguments. */
const ownProgram = (): readonly string[] =>
  typeof LOCK_DOCTOR_EXECUTABLE === 'boolean' && LOCK_DOCTOR_EXECUTABLE
    ? [process.execPath]
    : [process.execPath, realpathSync(process.argv[1] ?? '')];
