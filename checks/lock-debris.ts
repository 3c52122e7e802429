import { advice, defineCheck, isAbandoned, type Leftover, optionWith } from '../src/check.ts';

const SAID: Readonly<Record<Leftover['kind'], string>> = {
  tmp: 'a writer died before it finished this file',
  new: 'a run of ours was killed before it published this lock',
  old: 'a release of ours was killed half-way: this may still be the lock',
  released: 'a kept copy of a released lock',
};

/** Files beside a lock that a killed run left. Never `agent.lock.flock`, which stays for ever by design. */
export default defineCheck({
  id: 'lock-debris',
  title: 'Lock debris',
  summary: 'Files that killed writers left beside a lock.',
  run: ({ snapshot }) =>
    snapshot.leftovers
      .filter(({ kind, mtimeMs }) => kind !== 'released' && isAbandoned(mtimeMs, snapshot.takenAtMs))
      .map(({ worker, path, kind }) => ({
        severity: 'info',
        worker,
        lock: null,
        message: `${path.split('/').at(-1) ?? path}: ${SAID[kind]}`,
        evidence: [{ source: 'lock', text: path }],
        fix: advice('the next repair or acquire at this worker finishes or undoes it', [
          ['doctor', '--fix', ...optionWith('worker', worker), '--yes', '--town', snapshot.town.root],
        ]),
      })),
});
