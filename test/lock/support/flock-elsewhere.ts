/** Another process that holds a guard. */
import { type StartedProcess, startProcess } from '../../support/index.ts';

/** Locks the file from another process, which is not Node; resolves once it has the lock. */
export const flockElsewhere = async (path: string): Promise<StartedProcess> => {
  const script = 'open F, ">>", $ARGV[0]; flock F, 2 or die; $| = 1; print "locked"; sleep 600';
  const started = await startProcess('perl', ['-e', script, path], { stdio: ['ignore', 'pipe', 'ignore'] });
  await new Promise((resolve) => started.child.stdout?.once('data', resolve));
  return started;
};
