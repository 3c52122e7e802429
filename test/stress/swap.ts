/**
 * `npm run stress -- --swap`: the race for a swapped `.runtime`, against the library and the built program.
 * One JSON line; exit code 1 if anything changed elsewhere, or if no operation succeeded.
 */
import { chmodSync, existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { raceSwap, whyNoRace } from './swap-race.ts';

const { values } = parseArgs({
  options: {
    swap: { type: 'boolean' },
    seconds: { type: 'string', default: '60' },
    source: { type: 'string', default: '' },
    doctor: { type: 'string', default: '' },
  },
});

const obstacle = whyNoRace();
if (obstacle === null) {
  const home = mkdtempSync(join(realpathSync(tmpdir()), 'swap-'));
  chmodSync(home, 0o755);
  try {
    const doctor = existsSync(values.doctor) ? [process.execPath, values.doctor] : null;
    const outcome = await raceSwap(home, values.source, Number(values.seconds) * 1000, doctor);
    const ok = outcome.elsewhere.length === 0 && outcome.errors.length === 0 && outcome.through > 0;
    process.stdout.write(`${JSON.stringify({ ...outcome, program: doctor !== null, ok })}\n`);
    process.exitCode = ok ? 0 : 1;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
} else {
  process.stderr.write(`The race was not run: ${obstacle}.\n`);
}
