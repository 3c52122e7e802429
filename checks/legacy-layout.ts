/** Runtime state that is still in `.gastown/`, where it lived before December 2025. */
import { advice, defineCheck } from '../src/check.ts';

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
        about: from,
        message: targetExists ? `both ${from} (old) and ${to} exist` : `${from} belongs at ${to}`,
        evidence: [{ source: 'lock', text: `${from} is the old location` }],
        fix: targetExists
          ? advice('compare them and keep one', [['diff', '-r', source, target]])
          : advice('move it; -n never overwrites', [
              ['mkdir', '-p', parent],
              ['mv', '-n', source, target],
            ]),
      };
    }),
});
