/**
 * Questions to git that change nothing and run nothing that the repository names: no hooks, monitors or helpers, no fetch of
 * missing objects, no index refresh.
 */
import { relative, resolve } from 'node:path';
import type { Observed } from '../../core/types/evidence.ts';
import {
  type Client,
  type CommandResult,
  complaintOf,
  firstLineOf,
  runCommand,
} from '../../io/programs/command.ts';
import { callerUid } from '../../io/trust.ts';

/** Paths in one call: 256 of the longest ones still fit the arguments of one program. */
const PATHS_PER_CALL = 256;

/** Which of these absolute paths git tracks. */
export const askTracked = (
  top: string,
  paths: readonly string[],
  client: Client,
): Promise<Observed<ReadonlySet<string>>> =>
  askInParts(paths, async (part) => {
    const names = part.map((path) => relative(top, path));
    return named(
      top,
      await runGit(top, ['--literal-pathspecs', 'ls-files', '-z', '--full-name', '--', ...names], client),
    );
  });

/** Which of these absolute paths an ignore pattern matches, whether or not git tracks them. */
export const askIgnored = async (
  top: string,
  paths: readonly string[],
  client: Client,
): Promise<Observed<ReadonlySet<string>>> => {
  // `./` before a name keeps a leading `:` from being read as magic; the answer repeats it.
  const input = paths.map((path) => `./${relative(top, path)}\0`).join('');
  const result = await runGit(top, ['check-ignore', '-z', '--stdin', '--no-index'], client, input);
  // Exit status 1 means "none of them".
  const isNone = result.status === 'failed' && result.code === 1 && result.stderr === '';
  return isNone ? { seen: true, value: new Set() } : named(top, result);
};

const askInParts = async (
  paths: readonly string[],
  ask: (part: readonly string[]) => Promise<Observed<ReadonlySet<string>>>,
): Promise<Observed<ReadonlySet<string>>> => {
  const found = new Set<string>();
  for (let at = 0; at < paths.length; at += PATHS_PER_CALL) {
    const answer = await ask(paths.slice(at, at + PATHS_PER_CALL));
    if (!answer.seen) return answer;
    for (const path of answer.value) found.add(path);
  }
  return { seen: true, value: found };
};

const named = (top: string, result: CommandResult): Observed<ReadonlySet<string>> => {
  if (result.status !== 'ok') return unseenByGit(complaintOf(result));
  // git ends with 0 even where it could not read a part of the index: then its answer is incomplete.
  if (result.stderr !== '') return unseenByGit(firstLineOf(result.stderr) ?? 'complained');
  const names = result.stdout
    .toString('utf8')
    .split('\0')
    .filter((name) => name !== '');
  return { seen: true, value: new Set(names.map((name) => resolve(top, name))) };
};

/** Something unseen, with git's complaint as the reason. */
export const unseenByGit = (complaint: string): Observed<never> => ({
  seen: false,
  why: `git: ${complaint.replace(/^(fatal|error): /, '')}`,
});

/** These win over the repository's own configuration. */
const SETTINGS = ['core.fsmonitor=false', 'core.hooksPath=/dev/null', 'core.askPass=', 'credential.helper='];

/** Asks git one question at a directory, under these settings and no others. */
export const runGit = async (
  top: string,
  args: readonly string[],
  { program, timeoutMs, env, few, as = callerUid() }: Client,
  input?: string,
): Promise<CommandResult> => {
  const quiet = SETTINGS.flatMap((setting) => ['-c', setting]);
  return runCommand(program, [...quiet, '-C', top, ...args], {
    timeoutMs,
    // The caller's directory may be gone, and git does not start without one.
    cwd: '/',
    env: {
      // The user that git runs as can read its environment.
      ...(as === callerUid() ? withoutRedirections(env) : { PATH: env.PATH }),
      // A partial clone fetches missing objects through a program that it names itself. Older gits know the second variable only.
      GIT_NO_LAZY_FETCH: '1',
      GIT_ALLOW_PROTOCOL: 'none',
      GIT_OPTIONAL_LOCKS: '0',
      GIT_TERMINAL_PROMPT: '0',
      LC_ALL: 'C',
    },
    few,
    as,
    ...(input === undefined ? {} : { input }),
  });
};

/** `GIT_DIR`, `GIT_INDEX_FILE` and the like name another repository (we may run inside a hook); other settings are kept. */
const withoutRedirections = (env: Client['env']): Client['env'] =>
  Object.fromEntries(
    Object.entries(env).filter(([name]) => !name.startsWith('GIT_') || name.startsWith('GIT_CONFIG')),
  );
