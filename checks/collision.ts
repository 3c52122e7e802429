/** Several live agents work in one directory and overwrite each other's work, or several workers' locks claim the same agent. */
import { advice, defineCheck, isAgents } from '../src/check.ts';

export default defineCheck({
  id: 'collision',
  title: 'Collisions',
  summary: 'Two or more agents work in one directory, or several locks claim the same agent.',
  run: ({ collisions, verdicts }) =>
    collisions.map(({ kind, workers, message, facts }) => {
      const [worker = null] = workers;
      // Sorted by path, so of a worker's two locks the one in .runtime/ comes last.
      const verdict = verdicts.findLast(({ lock }) => lock.worker === worker && isAgents(lock));
      const text =
        kind === 'agents'
          ? 'stop one of them yourself; doctor never kills agents'
          : 'find out which worker that agent belongs to, then release the other lock by name';
      return {
        severity: 'error',
        worker,
        workers,
        lock: verdict?.lock.id ?? null,
        ...(kind === 'claims' ? { about: workers.join(',') } : {}),
        message: kind === 'agents' ? message : `${message} (${workers.join(', ')})`,
        evidence: facts,
        fix: advice(text),
      };
    }),
});
