// `npm run jest`: runs the tests that jest's arguments name, in a private view of the machine.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { inPrivateView, serversOfOthers } from './verify/private-view.mjs';
import { inOwnTmpdir, JEST } from './verify/start-jest.mjs';

process.exitCode = await inOwnTmpdir(async (env) => {
  const view = inPrivateView([...JEST, ...process.argv.slice(2)]);
  if (view.why !== null)
    console.error(
      `The tests see every process of this machine (${view.why}); tmux servers of other users disturb them: ${serversOfOthers().join(', ') || 'none'}.`,
    );
  const tests = spawn(view.file, view.args, { env, stdio: 'inherit' });
  process.on('SIGTERM', () => tests.kill());
  const [code] = await once(tests, 'close');
  view.remove();
  return code ?? 1;
});
