/** Locks that git tracks, or would pick up with the next `git add`. */
import {
  advice,
  defineCheck,
  type Finding,
  groupBy,
  isAgents,
  isTracked,
  type LockFile,
  relativeTo,
  type Verdict,
} from '../src/check.ts';

const PARTS = /^(.*)\/([^/]+)\/([^/]+)$/s;

const workerDirectory = (lock: LockFile): string => PARTS.exec(lock.path)?.[1] ?? '/';
const directoryName = (lock: LockFile): string => PARTS.exec(lock.path)?.[2] ?? '';
const fileName = (lock: LockFile): string => `${directoryName(lock)}/${PARTS.exec(lock.path)?.[3] ?? ''}`;
/** The ignore pattern: a home of locks as a whole, else the file alone. */
const pattern = (lock: LockFile): string => (isAgents(lock) ? `${directoryName(lock)}/` : fileName(lock));

const tracked = ({ lock }: Verdict): Finding => ({
  severity: 'warning',
  worker: lock.worker,
  lock: lock.id,
  message: 'tracked by git, so every clone and reset brings it back',
  evidence: [
    { source: 'git', text: `${fileName(lock)} is tracked in ${lock.git?.repository ?? 'its repository'}` },
  ],
  fix: advice(`untrack it (git rm --cached), ignore ${pattern(lock)}, commit`, [
    ['git', '-C', workerDirectory(lock), 'rm', '--cached', '--quiet', '--', fileName(lock)],
    ['sh', '-c', '{ echo; echo "$1"; } >> "$2"', 'sh', pattern(lock), `${workerDirectory(lock)}/.gitignore`],
    ['git', '-C', workerDirectory(lock), 'add', '.gitignore'],
  ]),
});

const repositoryOf = ({ git }: LockFile): string => git?.repository ?? 'the repository';

const unignored = (lock: LockFile): Finding => ({
  severity: 'info',
  worker: lock.worker,
  lock: lock.id,
  message: `${directoryName(lock)}/ is not in .gitignore; this lock could be committed`,
  evidence: [{ source: 'git', text: `no ignore rule in ${repositoryOf(lock)} covers it` }],
  fix: advice(
    `add ${directoryName(lock)}/ to ${excludeOf(lock)}`,
    lock.git?.exclude === undefined
      ? []
      : [
          [
            'sh',
            '-c',
            'mkdir -p "$(dirname "$2")" && { echo; echo "$1"; } >> "$2"',
            'sh',
            `${directoryName(lock)}/`,
            lock.git.exclude,
          ],
        ],
  ),
});

/** The file whose rules count for this lock and whose changes are not committed: the worktrees of a clone share it. */
const excludeOf = ({ git }: LockFile): string => git?.exclude ?? 'info/exclude in its git directory';

/** Locks of one clone that the same rule would ignore. */
const allUnignored = (locks: readonly LockFile[], root: string): readonly Finding[] =>
  [...groupBy(locks, (lock) => `${directoryName(lock)}\0${lock.git?.exclude ?? lock.id}`).values()].flatMap(
    ([lock, ...others]) => {
      if (lock === undefined) return [];
      if (others.length === 0) return [unignored(lock)];
      const all = [lock, ...others];
      return {
        ...unignored(lock),
        worker: null,
        workers: all.map(({ worker }) => worker),
        lock: null,
        about: `${directoryName(lock)} ${relativeTo(root, excludeOf(lock)) ?? excludeOf(lock)}`,
        message: `${directoryName(lock)}/ is not in .gitignore; ${all.length} locks could be committed`,
        evidence: all.map((one) => ({
          source: 'git' as const,
          text: `no ignore rule in ${repositoryOf(one)} covers ${fileName(one)}`,
        })),
      };
    },
  );

export default defineCheck({
  id: 'tracked-lock',
  title: 'Tracked locks',
  summary: 'git tracks the lock file, or nothing keeps git from doing so.',
  run: ({ verdicts, snapshot }) => [
    ...verdicts.filter(({ lock }) => isTracked(lock)).map(tracked),
    ...allUnignored(
      verdicts.map(({ lock }) => lock).filter((lock) => !isTracked(lock) && isUnignored(lock)),
      snapshot.town.root,
    ),
  ],
});

const isUnignored = ({ git }: LockFile): boolean => git?.ignored.seen === true && !git.ignored.value;
