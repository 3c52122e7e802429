import { advice, defineCheck } from '../src/check.ts';

/** Runtime state that is still in `.gastown/`, where it lived before December 2025. */
export default defineCheck({
  id: 'legacy-layout',
  title: 'Legacy layout',
  summary: 'Runtime state is still in .gastown/, where newer tools do not look.',
  run: ({ snapshot }) =>
    snapshot.legacy.map(({ from, to, targetExists }) => {
      const [source, target] = [`${snapshot.town.root}/${from}`, `${snapshot.town.root}/${to}`];
      const parent = target.replace(/\/[^/]*$/, '');
      return {
        severity: 'info',
        worker: null,
        lock: null,
        message: targetExists
          ? `${from} is left behind, and ${to} exists already`
          : `${from} belongs at ${to}`,
        evidence: [{ source: 'lock', text: `${from} was found at its old place` }],
        fix: targetExists
          ? advice('compare the two and keep what is right; nothing is overwritten for you', [
              ['diff', '-r', source, target],
            ])
          : advice('move it; -n never overwrites', [
              ['mkdir', '-p', parent],
              ['mv', '-n', source, target],
            ]),
      };
    }),
});
