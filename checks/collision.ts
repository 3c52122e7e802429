import { advice, defineCheck } from '../src/check.ts';

/** Several live agents on one worker, or one agent behind several workers' locks: their work overwrites each other's. */
export default defineCheck({
  id: 'collision',
  title: 'Collisions',
  summary: 'Two or more live agents share one worker, or one agent is claimed by several.',
  run: ({ collisions, verdicts }) =>
    collisions.map(({ kind, workers, message, facts }) => {
      const [worker = null] = workers;
      // Sorted by path: of a worker's two locks the one in .runtime/ is the last.
      const verdict = verdicts.findLast(({ lock }) => lock.worker === worker);
      const text =
        kind === 'agents'
          ? 'decide which agent belongs here, and have the other one stop or move; the doctor ends nobody'
          : 'find out at which worker that agent works, then release the other lock by name';
      return {
        severity: 'error',
        worker,
        workers,
        lock: verdict?.lock.id ?? null,
        message: kind === 'agents' ? message : `${message} (${workers.join(', ')})`,
        evidence: facts,
        fix: advice(text),
      };
    }),
});
