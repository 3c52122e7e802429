/** Locks that git tracks, or would pick up with the next `git add`. */
import { advice, defineCheck, type Finding, isAgents, type LockFile, type Verdict } from '../src/check.ts';

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
    ['sh', '-c', 'printf \'\\n%s\\n\' "$2" >> "$1/.gitignore"', 'sh', workerDirectory(lock), pattern(lock)],
    ['git', '-C', workerDirectory(lock), 'add', '.gitignore'],
  ]),
});

const unignored = ({ lock }: Verdict): Finding => ({
  severity: 'info',
  worker: lock.worker,
  lock: lock.id,
  message: `${directoryName(lock)}/ is not in .gitignore; this lock could be committed`,
  evidence: [
    { source: 'git', text: `no ignore rule in ${lock.git?.repository ?? 'the repository'} covers it` },
  ],
  fix: advice(`add ${directoryName(lock)}/ to info/exclude in its git directory`, [
    [
      'sh',
      '-c',
      'printf \'\\n%s\\n\' "$2" >> "$(git -C "$1" rev-parse --path-format=absolute --git-path info/exclude)"',
      'sh',
      workerDirectory(lock),
      `${directoryName(lock)}/`,
    ],
  ]),
});

export default defineCheck({
  id: 'tracked-lock',
  title: 'Tracked locks',
  summary: 'git tracks the lock file, or nothing keeps git from doing so.',
  run: ({ verdicts }) =>
    verdicts.flatMap((verdict) => {
      const { git } = verdict.lock;
      if (git === null || git.repository === null) return [];
      if (git.tracked.seen && git.tracked.value) return [tracked(verdict)];
      return git.ignored.seen && !git.ignored.value ? [unignored(verdict)] : [];
    }),
});
