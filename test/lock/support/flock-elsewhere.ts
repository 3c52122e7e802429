/** Somebody else who holds a guard. */
import { type StartedProcess, startProcess } from '../../support/index.ts';

/** Another process, not Node, that locks the file; resolves once it has it. */
export const flockElsewhere = async (path: string): Promise<StartedProcess> => {
  const script = 'open F, ">>", $ARGV[0]; flock F, 2 or die; $| = 1; print "locked"; sleep 600';
  const started = await startProcess('perl', ['-e', script, path], { stdio: ['ignore', 'pipe', 'ignore'] });
  await new Promise((resolve) => started.child.stdout?.once('data', resolve));
  return started;
};
