/** The tests of this project do not see other agents on the machine: `scripts/verify/private-view.mjs`. */
import { type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, test } from '@jest/globals';
// @ts-expect-error: a script, and not typed
import { inPrivateView } from '../scripts/verify/private-view.mjs';
import { canBecomeOthers, cleanUp, fakeAgent, makeTown, OTHER_UID, until } from './support/index.ts';
import { PROJECT } from './support/source-files.ts';

afterEach(cleanUp);

/** Repeatedly records which of the processes in a file it sees, and whether it sees its own children. */
const WATCHER = `
const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const { spawn } = require('node:child_process');
const [asked, answers] = process.argv.slice(1);
const child = spawn('sleep', ['600']);
const orphan = spawn('sh', ['-c', 'sleep 600 & echo $!'], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
orphan.stdout.once('data', (text) => {
  const own = [process.pid, child.pid, Number(text), 1];
  const isSeen = (pid) => existsSync('/proc/' + pid + '/stat');
  setInterval(() => {
    const others = readFileSync(asked, 'utf8').split(' ').filter(Boolean).map(Number);
    writeFileSync(answers, JSON.stringify({ others: others.map(isSeen), own: own.map(isSeen) }));
  }, 20);
  process.on('SIGTERM', () => { process.kill(Number(text)); child.kill(); process.exit(); });
});
`;

/** How to run Node in a private view; `why` is not null where nothing can be hidden. */
interface View {
  readonly file: string;
  readonly args: readonly string[];
  readonly why: string | null;
  readonly remove: () => void;
}

const ownView = (args: readonly string[]): View => inPrivateView(args) as View;

/** The view of a user who is not root, and who needs a user namespace for it. */
const viewOfOrdinaryUser = (args: readonly string[]): View => {
  // A clone of root's may be closed to others.
  const { path } = makeTown({ marked: false, workers: ['tmp'] });
  cpSync(join(PROJECT, 'scripts/verify'), path('verify'), { recursive: true });
  chmodSync(path(), 0o755);
  chmodSync(path('tmp'), 0o1777);
  const text =
    'const { inPrivateView } = await import(process.argv[1]); console.log(JSON.stringify(inPrivateView(process.argv.slice(2))));';
  const { stdout } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', text, path('verify/private-view.mjs'), ...args],
    {
      uid: OTHER_UID,
      gid: OTHER_UID,
      encoding: 'utf8',
      cwd: '/',
      env: { ...process.env, TMPDIR: path('tmp') },
    },
  );
  const view = stdout === '' ? { file: '', args: [], why: 'Node is closed to others' } : JSON.parse(stdout);
  return { ...view, remove: () => {} };
};

const isPossible = (make: typeof ownView): boolean => {
  const view = make(['-e', '']);
  view.remove();
  return view.why === null;
};

const hidesAgents = async (make: typeof ownView, user: SpawnOptions = {}) => {
  const town = makeTown();
  chmodSync(town.root, 0o755);
  const [asked, answers] = [town.write('asked', ''), town.write('answers', '{}')];
  chmodSync(answers, 0o666);
  const before = await fakeAgent('claude', { cwd: town.root });
  const beforeOfUser = await fakeAgent('gemini', { cwd: '/', ...user });
  const view = make(['-e', WATCHER, asked, answers]);
  const tests = spawn(view.file, [...view.args], { stdio: 'ignore', ...user });
  try {
    const later = await fakeAgent('codex', { cwd: town.root });
    const laterOfUser = await fakeAgent('codex', { cwd: '/', ...user });
    writeFileSync(asked, [before, beforeOfUser, later, laterOfUser].map(({ pid }) => pid).join(' '));
    const answer = () => readFileSync(answers, 'utf8');
    await until(
      () => answer() === '{"others":[false,false,false,false],"own":[true,true,true,true]}',
      'four agents that are not seen',
    );
  } finally {
    tests.kill();
    await once(tests, 'close');
    view.remove();
  }
};

(isPossible(ownView) ? test : test.skip)(
  'agents started before or meanwhile are hidden, own children are not (skipped where nothing can be hidden)',
  () => hidesAgents(ownView),
);

(canBecomeOthers && isPossible(viewOfOrdinaryUser) ? test : test.skip)(
  'an ordinary user hides them in a user namespace (skipped without root, and where users may not create one)',
  () => hidesAgents(viewOfOrdinaryUser, { uid: OTHER_UID, gid: OTHER_UID }),
);
