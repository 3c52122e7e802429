/** The tests of this project do not see other agents on the machine: `scripts/verify/private-view.mjs`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, test } from '@jest/globals';
// @ts-expect-error: a script, and not typed
import { inPrivateView } from '../scripts/verify/private-view.mjs';
import { cleanUp, fakeAgent, makeTown, until } from './support/index.ts';

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

const canHide = inPrivateView(['-e', '']);
canHide.remove();
const possible = canHide.why === null ? test : test.skip;

possible(
  'agents started before or meanwhile are hidden, own children are not (skipped where nothing can be hidden)',
  async () => {
    const town = makeTown();
    const [asked, answers] = [town.write('asked', ''), town.write('answers', '{}')];
    const before = await fakeAgent('claude', { cwd: town.root });
    const view = inPrivateView(['-e', WATCHER, asked, answers]);
    const tests = spawn(view.file, [...view.args], { stdio: 'ignore' });
    try {
      const later = await fakeAgent('codex', { cwd: town.root });
      writeFileSync(asked, `${before.pid} ${later.pid}`);
      const answer = () => readFileSync(answers, 'utf8');
      await until(
        () => answer() === '{"others":[false,false],"own":[true,true,true,true]}',
        'two agents that are not seen',
      );
    } finally {
      tests.kill();
      await once(tests, 'close');
      view.remove();
    }
  },
);
