// `npm run jest`: runs the tests that jest's arguments name, in a private view of the machine.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { inPrivateView } from './verify/private-view.mjs';
import { ENVIRONMENT, JEST } from './verify/start-jest.mjs';

const view = inPrivateView([...JEST, ...process.argv.slice(2)]);
if (view.why !== null)
  console.error(
    `The tests see every process of this machine (${view.why}); tmux servers of other users disturb them.`,
  );
const tests = spawn(view.file, view.args, { env: ENVIRONMENT, stdio: 'inherit' });
// The terminal sends Ctrl-C to the tests too; wait until they have ended.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => tests.kill());
const [code] = await once(tests, 'close');
view.remove();
process.exitCode = code ?? 1;
