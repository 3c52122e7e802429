/** A lock whose holder is proven gone: nobody works here, and nobody else may start. */
import {
  advice,
  defineCheck,
  type Examination,
  type Finding,
  type Fix,
  isHarmless,
  release,
  sinceAtEnd,
  summary,
  type Verdict,
} from '../src/check.ts';

const fixFor = (verdict: Verdict): Fix => {
  const { release: allowed } = verdict;
  if (allowed.allowed || allowed.why !== 'tracked-unknown') return release(verdict);
  return advice(
    'git could not say whether it tracks this lock, so it is not released; make git work there first',
    [['git', '-C', verdict.lock.path.replace(/(?:\/[^/]+\/agent\.lock|\/[^/]+)$/, ''), 'status']],
  );
};

/** For the lock of a copied directory, says whose copy it is. Null for every other lock, and where the original is not here. */
const copyOf = (verdict: Verdict, verdicts: readonly Verdict[]): string | null => {
  const { lock, notes, holder } = verdict;
  if (!notes.includes('copy')) return null;
  const original = verdicts.find(
    (other) => !other.notes.includes('copy') && other.lock.stamp?.sha256 === lock.stamp?.sha256,
  );
  return original === undefined
    ? null
    : `a copy of ${original.lock.worker}'s lock; its process ${holder?.truePid ?? 0} belongs there${sinceAtEnd(verdict)}`;
};

/** A lock that keeps two git processes apart, and does not say who took it. */
const isNameless = ({ lock: { gitDir, content, notedPid } }: Verdict): boolean =>
  gitDir !== undefined &&
  content.kind === 'claim' &&
  content.claim.by === 'open-file' &&
  notedPid === undefined;

/** Once for all such locks, where git can be told to say it next time. */
const noteAdvice = ({ verdicts, snapshot }: Examination): readonly Finding[] => {
  const isMissed = verdicts.some(
    (one) => isNameless(one) && (one.state === 'stale' || one.state === 'unknown'),
  );
  if (!isMissed || snapshot.machine.files?.couldNoteHolders !== true) return [];
  return [
    {
      severity: 'info',
      worker: '.',
      lock: null,
      about: 'lockfile-pid',
      message: 'git did not note who took its locks, but it can',
      evidence: [{ source: 'git', text: 'it is 2.54 or newer, and core.lockfilePid is not set' }],
      fix: advice('have it write the PID beside each of its locks', [
        ['git', 'config', '--global', 'core.lockfilePid', 'true'],
      ]),
    },
  ];
};

export default defineCheck({
  id: 'stale-lock',
  title: 'Stale locks',
  summary: 'The holder is proven gone; the lock only keeps others out.',
  run: (examination) => {
    const { verdicts } = examination;
    const stale = verdicts
      .filter(({ state }) => state === 'stale')
      .map(
        (verdict): Finding => ({
          severity: isHarmless(verdict.lock) ? 'info' : 'warning',
          worker: verdict.lock.worker,
          lock: verdict.lock.id,
          message: copyOf(verdict, verdicts) ?? summary(verdict),
          evidence: verdict.facts,
          fix: fixFor(verdict),
        }),
      );
    return [...stale, ...noteAdvice(examination)];
  },
});
