import { advice, defineCheck, type Finding, type LockFile, type Verdict } from '../src/check.ts';

const workerDirectory = (lock: LockFile): string => lock.path.replace(/\/[^/]+\/agent\.lock$/, '');
const fileName = (lock: LockFile): string =>
  lock.layout === 'legacy' ? '.gastown/agent.lock' : '.runtime/agent.lock';

const tracked = ({ lock }: Verdict): Finding => ({
  severity: 'warning',
  worker: lock.worker,
  lock: lock.id,
  message: 'git tracks this lock: every clone carries it, and each reset brings it back',
  evidence: [
    { source: 'git', text: `${fileName(lock)} is tracked in ${lock.git?.repository ?? 'its repository'}` },
  ],
  fix: advice('stop tracking it (the file stays), ignore the directory, and commit that', [
    ['git', '-C', workerDirectory(lock), 'rm', '--cached', '--quiet', '--', fileName(lock)],
    [
      'sh',
      '-c',
      'printf \'\\n%s\\n\' "$2" >> "$1/.gitignore"',
      'sh',
      workerDirectory(lock),
      fileName(lock).replace('agent.lock', ''),
    ],
    ['git', '-C', workerDirectory(lock), 'add', '.gitignore'],
  ]),
});

const unignored = ({ lock }: Verdict): Finding => ({
  severity: 'info',
  worker: lock.worker,
  lock: lock.id,
  message: 'nothing ignores .runtime/ here, so this lock can be committed by accident',
  evidence: [
    { source: 'git', text: `no ignore rule of ${lock.git?.repository ?? 'the repository'} covers it` },
  ],
  fix: advice('ignore the directory for this repository without touching its files', [
    [
      'sh',
      '-c',
      'printf \'\\n%s\\n\' .runtime/ >> "$(git -C "$1" rev-parse --path-format=absolute --git-path info/exclude)"',
      'sh',
      workerDirectory(lock),
    ],
  ]),
});

/** Locks that git tracks, or would pick up with the next `git add`. */
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
