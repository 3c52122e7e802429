import {
  advice,
  defineCheck,
  isAbandoned,
  isLockMovedAside,
  type Leftover,
  optionWith,
  relativeTo,
  townOption,
} from '../src/check.ts';

const SAID: Readonly<Record<Leftover['kind'], string>> = {
  tmp: 'its writer died before it finished this file',
  new: 'doctor was killed before it put this lock in place',
  old: 'doctor was killed halfway through a release; this may still be the lock',
  released: 'the backup of a released lock',
};

/** Files beside a lock that a killed run left. Never `agent.lock.flock`, which stays forever by design. */
export default defineCheck({
  id: 'lock-debris',
  title: 'Lock debris',
  summary: 'Files that killed writers left beside a lock.',
  run: ({ snapshot }) =>
    snapshot.leftovers.flatMap((leftover) => {
      const { worker, path, kind, mtimeMs } = leftover;
      // Moving a lock aside keeps its time, so a recent time does not mean that the run is still at work.
      const missing = isLockMovedAside(leftover, snapshot.locks);
      if (kind === 'released' || !(missing || isAbandoned(mtimeMs, snapshot.takenAtMs))) return [];
      return {
        severity: missing ? 'warning' : 'info',
        worker,
        lock: null,
        about: relativeTo(snapshot.town.root, path) ?? path,
        message: `${path.split('/').at(-1) ?? path}: ${SAID[kind]}`,
        evidence: [{ source: 'lock', text: path }],
        fix: advice('the next repair, or the next agent that takes the lock, cleans it up', [
          ['doctor', '--fix', ...optionWith('worker', worker), ...townOption(snapshot.town)],
        ]),
      };
    }),
});
