/** Every script in README and docs is run as written, in the town that they describe. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
// @ts-expect-error: a script, and not typed
import { inPrivateView } from '../../scripts/verify/private-view.mjs';
import { bareEnvironment, doctor, PROGRAM } from '../cli/run-cli.ts';
import { hasSshd, sshNet } from '../fleet/sshd.ts';
import { hasEtcd, startEtcd } from '../lease/etcd-server.ts';
import {
  canBecomeOthers,
  cleanUp,
  fakeAgent,
  hasTmux,
  makeTown,
  startProcess,
  until,
} from '../support/index.ts';
import { makeStoryTown, type StoryTown } from '../support/story-town.ts';
import { type Block, blocksOf } from './console-blocks.ts';

afterEach(cleanUp);

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(`${ROOT}docs`).map((name) => `docs/${name}`),
].filter((name) => name.endsWith('.md'));
const BLOCKS = PAGES.flatMap((page) =>
  blocksOf(readFileSync(ROOT + page, 'utf8')).map((block) => ({ page, ...block })),
);
/** systemd-analyze checks units even if systemd does not run. */
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;
const hasJq = spawnSync('jq', ['--version']).status === 0;

const blockNamed = (name: string): Block => {
  const found = BLOCKS.find((block) => block.name === name);
  if (found === undefined) throw new Error(`no page has a block named ${name}`);
  return found;
};

const environmentOf = ({ town, tmux }: StoryTown): NodeJS.ProcessEnv =>
  bareEnvironment({ TMUX_TMPDIR: tmux.tmuxTmpdir, PATH: `${town.path('.bin')}:${process.env.PATH}` });

const runIn = (story: StoryTown, script: string, cwd = story.town.root) => {
  const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], {
    cwd,
    env: environmentOf(story),
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
};

/** How each named script is run, and what it must do. */
const RUNS: Readonly<Record<string, (story: StoryTown, block: Block) => void | Promise<void>>> = {
  worktrees: async ({ town, tmux }, { text }) => {
    const repository = town.path('gastown/mayor/rig');
    mkdirSync(repository, { recursive: true });
    const git = (...words: string[]) =>
      spawnSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.c', ...words], { cwd: repository });
    git('init', '-q');
    git('commit', '-q', '--allow-empty', '-m', 'Begin');
    const story = { town, tmux };
    const start = () => runIn(story, `export AGENT='sleep 600'\n${text}`, repository);
    expect(start()).toMatchObject({ stdout: '', stderr: '' });
    const trees = ['feature-1', 'feature-2'].map((name) => `gastown/mayor/${name}`);
    for (const tree of trees)
      await until(() => runIn(story, `doctor preflight ${tree}`).status === 20, `the lock of ${tree}`);
    const again = start();
    expect(again.stdout).toMatch(/^held \S*feature-1: .*\nheld \S*feature-2: .*\n$/);
    expect(tmux.panes().filter(({ sessionName }) => sessionName.startsWith('feature-'))).toHaveLength(2);
  },
  'remove-worktrees': async (story, { text }) => {
    const repository = story.town.path('gastown/mayor/rig');
    mkdirSync(repository, { recursive: true });
    const git = (...words: string[]) =>
      spawnSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.c', ...words], { cwd: repository });
    git('init', '-q');
    git('commit', '-q', '--allow-empty', '-m', 'Begin');
    const trees = ['feature-1', 'feature-2', 'feature-3'].map((name) => `${repository}/../${name}`);
    for (const tree of trees) git('worktree', 'add', '-q', tree);
    writeFileSync(`${trees[1]}/notes`, '');
    await fakeAgent('claude', { cwd: trees[2] });
    const { stdout } = runIn(story, text, repository);
    expect(stdout).toMatch(/^held \S*feature-2: 1 untracked.*\nheld \S*feature-3: claude .*\n$/);
    expect(trees.map((tree) => existsSync(tree))).toEqual([false, true, true]);
  },
  'spawn-loop': (story, { text }) => {
    const { stdout } = runIn(story, text);
    expect(stdout.split('\n').filter((line) => /^(start|skip) /.test(line))).toEqual([
      'skip gastown/crew/ada: an agent is running there',
      'start gastown/crew/bob',
      'start gastown/crew/new',
      'skip gastown/crew/eve: look at it',
    ]);
  },
  'exec-tmux': async (story, { text }) => {
    expect(runIn(story, text).status).toBe(0);
    await until(
      () => runIn(story, 'doctor preflight gastown/crew/new').status === 20,
      'the lock of gastown/crew/new',
    );
    expect(runIn(story, 'doctor exec gastown/crew/new -- true').status).toBe(20);
  },
  cron: (story, { text }) => {
    const [, command = ''] = /^(?:\S+\s+){5}(.*)$/.exec(text) ?? [];
    const { town, tmux } = story;
    const script = command.replace('/srv/gt', town.root).replace('PATH=', `PATH=${town.path('.bin')}:`);
    const { status, stdout } = spawnSync('/bin/sh', ['-c', script], {
      cwd: '/',
      env: { HOME: '/', SHELL: '/bin/sh', TMUX_TMPDIR: tmux.tmuxTmpdir },
      encoding: 'utf8',
    });
    // What was fixed, and what is left to a person.
    expect(stdout).toMatch(/^fixed stale-lock gastown\/crew\/bob: /m);
    expect(stdout).toMatch(/^warning orphaned-lock gastown\/crew\/zoe: /m);
    expect(status).toBe(1);
  },
  orchestrator: (story, { text }) => {
    // A program of a user has the package among its dependencies.
    story.town.worker('node_modules');
    symlinkSync(ROOT, story.town.path('node_modules/lock-doctor'));
    story.town.write('orchestrator.mjs', text);
    const { stdout, stderr } = runIn(story, 'node orchestrator.mjs "$PWD"');
    expect(stderr).toBe('');
    expect(stdout).toMatch(
      /^gastown\/crew\/ada: held \(.*\)\ngastown\/crew\/new: free \(.*\)\nnobody else starts /,
    );
    expect(runIn(story, 'doctor preflight gastown/crew/new').status).toBe(0);
  },
  'two-hosts': async (story, { text }) => {
    const net = sshNet();
    const town = makeTown();
    for (const [name, path] of [
      ['mini1', '/srv/one'],
      ['mini2', '/srv/two'],
    ] as const) {
      const there = makeTown();
      there.lock('gastown/crew/ada');
      // The ssh of the page uses the keys of this test, and the PATH of that machine contains the doctor.
      const machine = await net.start(name, { path: story.town.path('.bin') });
      story.town.write('.bin/ssh', `#!/bin/sh\nexec /usr/bin/ssh -F '${machine.reach[2]}' "$@"\n`);
      chmodSync(story.town.path('.bin/ssh'), 0o755);
      text = text.replace(path, there.root);
    }
    const { stdout, stderr } = runIn(story, text, town.root);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^ok mini1: .*\nok mini2: /m);
    expect(stdout).toMatch(/^stale mini1:gastown\/crew\/ada: .*\nstale mini2:gastown\/crew\/ada: /m);
    expect(stdout).toMatch(/^fixed stale-lock mini1:gastown\/crew\/ada: /m);
  },
  container: async (story, { text }) => {
    const there = makeTown();
    const init = await startProcess('unshare', [
      ...['--uts', '--pid', '--fork', '--kill-child', '--mount-proc'],
      ...['sh', '-c', 'hostname box; printf init >/proc/1/comm; sleep 600; exit'],
    ]);
    const children = `/proc/${init.pid}/task/${init.pid}/children`;
    const inside = await until(() => readFileSync(children, 'utf8').trim(), 'the container');
    const name = ['--target', inside, '--uts', 'hostname'];
    await until(
      () => spawnSync('nsenter', name, { encoding: 'utf8' }).stdout.trim() === 'box',
      'its host name',
    );
    const agent = [PROGRAM, 'exec', 'gastown/crew/ada', '--town', there.root, '--', 'sleep', '600'];
    await startProcess(
      'nsenter',
      ['--target', inside, '--uts', '--pid', '--mount', process.execPath, ...agent],
      { env: bareEnvironment() },
    );
    await until(() => existsSync(there.path('gastown/crew/ada/.runtime/agent.lock')), 'the lock');
    const town = makeTown();
    const script = `INIT=${inside}\n${text.replace('/workspace', there.root)}`;
    const { stdout, stderr } = runIn(story, script, town.root);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^ok box: .*\nheld box:gastown\/crew\/ada: /m);
  },
  lease: async (story, { text }) => {
    const { endpoint } = await startEtcd();
    const at = (line: string): string => line.replace('host1:2379,host2:2379', endpoint);
    story.town.write('.bin/claude', '#!/bin/sh\necho "epoch $LOCK_DOCTOR_EPOCH of $LOCK_DOCTOR_LEASE_KEY"\n');
    chmodSync(story.town.path('.bin/claude'), 0o755);
    // In the town that the pages describe, ada is already at work.
    const { stdout, status } = runIn(story, at(text.replace('crew/ada', 'crew/new')));
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^epoch \d+ of gt\/gastown\/crew\/new\n$/)]);
    const unit = BLOCKS.find(({ file }) => file === 'agent@.service')?.text ?? '';
    if (hasSystemd) {
      story.town.write('agent@.service', unit);
      const verified = runIn(story, 'systemd-analyze verify ./agent@.service');
      expect(verified).toEqual({ status: 0, stdout: '', stderr: '' });
    }
    const setting = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1] ?? '';
    const line = `${at(setting('Environment'))} ${setting('ExecStart').replace('%i', 'new')}`;
    expect(runIn(story, line).stdout).toMatch(/^epoch \d+ of gt\/gastown\/crew\/new\n$/);
  },
  'pre-receive': (story, { text }) => {
    const git = (cwd: string, script: string) =>
      runIn(story, `git -c user.name=a -c user.email=a@example.org ${script}`, cwd);
    const server = story.town.worker('server.git');
    expect(git(server, 'init -q --bare .').status).toBe(0);
    expect(runIn(story, text, server)).toEqual({ status: 0, stdout: '', stderr: '' });
    const clone = story.town.worker('clone');
    git(clone, `clone -q '${server}' .`);
    const push = (epoch: string): number | null => {
      git(clone, 'commit -q --allow-empty -m x');
      return git(clone, `push -q -o epoch=${epoch} origin HEAD:main`).status;
    };
    expect([push('7'), push('9')]).toEqual([0, 0]);
    expect(git(clone, 'push -q -o epoch=7 origin HEAD:other').stderr).toContain('7 is older than 9');
    expect([push('8'), push('9;id'), push('10')]).toEqual([1, 1, 0]);
  },
  ci: (story, { text }) => {
    const { status, stdout } = runIn(story, text);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^::warning file=.*title=stale-lock::gastown\/crew\/bob: /m);
  },
  metrics: (story, { text }) => {
    story.town.worker('collected');
    const { status, stderr } = runIn(story, `COLLECTED=$PWD/collected\n${text}`);
    expect([status, stderr]).toEqual([0, '']);
    expect(readdirSync(story.town.path('collected'))).toEqual(['lock-doctor.prom']);
    const metrics = readFileSync(story.town.path('collected/lock-doctor.prom'), 'utf8');
    expect(metrics).toMatch(/^lock_doctor_locks\{town="[^"]+",kind="agent",state="stale"\} 1$/m);
  },
  html: (story, { text }) => {
    expect(runIn(story, text)).toEqual({ status: 1, stdout: '', stderr: '' });
    const page = readFileSync(story.town.path('locks.html'), 'utf8');
    expect(page).toContain('<h3 class="name">gastown/crew/bob</h3>');
  },
  'by-hand': (story, { text }) => {
    expect(runIn(story, 'doctor --fix --yes -q --worker gastown/crew/bob').status).toBe(0);
    expect(runIn(story, text).status).toBe(0);
    expect(runIn(story, 'doctor preflight gastown/crew/bob').status).toBe(21);
    expect(runIn(story, text).status).not.toBe(0);
  },
  'plugin-test': (story, { text }) => {
    const check = BLOCKS.find(({ file }) => file === 'checks/long-held.js');
    story.town.write('checks/long-held.js', check?.text ?? '');
    expect(runIn(story, text)).toEqual({ status: 0, stdout: '0 findings\n', stderr: '' });
  },
  'status-bar': (story, { text }) => {
    expect(runIn(story, text).stdout).toBe('1 held, 1 stale\n');
  },
  jq: (story, { text }) => {
    expect(runIn(story, text).stdout).toMatch(/^gastown\/polecats\/max\/gastown\ngastown\/crew\/bob\n/);
  },
  demo: () => {
    const { status, stdout } = spawnSync(process.execPath, ['scripts/demo.mjs'], {
      cwd: ROOT,
      env: bareEnvironment(),
      encoding: 'utf8',
    });
    expect(stdout).toContain('The town is gone again.');
    expect(status).toBe(0);
    // Those of the story are not its own.
    const servers = [...stdout.matchAll(/\d+ tmux servers? with \d+ sessions?/g)].map(([text]) => text);
    expect(servers.length).toBeGreaterThan(1);
    const view = inPrivateView([]);
    view.remove();
    if (view.why === null) expect([...new Set(servers)]).toEqual(['1 tmux server with 3 sessions']);
  },
};

const NOT_RUN: readonly string[] = [];
const NEED_JQ = ['jq', 'status-bar'];
const NEED_SSHD = ['two-hosts'];
const NEED_ETCD = ['lease'];
const NEED_ROOT = ['container'];

describe('scripts in README and docs (skipped without tmux, two without jq, one without sshd, one without etcd, and one without root)', () => {
  for (const [name, run] of Object.entries(RUNS)) {
    const possible =
      hasTmux &&
      (hasJq || !NEED_JQ.includes(name)) &&
      (hasSshd || !NEED_SSHD.includes(name)) &&
      (hasEtcd || !NEED_ETCD.includes(name)) &&
      (canBecomeOthers || !NEED_ROOT.includes(name));
    (possible ? test : test.skip)(`${name} does what the page says`, async () => {
      await run(await makeStoryTown(), blockNamed(name));
    });
  }

  test('there is no script without a test', () => {
    const scripts = BLOCKS.filter(({ info }) => ['bash', 'sh', 'cron'].includes(info));
    expect(scripts.filter(({ name }) => name === null).map(({ page, text }) => `${page}: ${text}`)).toEqual(
      [],
    );
    const names = BLOCKS.flatMap(({ name }) => name ?? []);
    expect([...names].sort()).toEqual([...Object.keys(RUNS), ...NOT_RUN].sort());
  });
});

test('docs/lock-protocol.md describes every field of a record, and its example is a valid record', () => {
  const page = readFileSync(`${ROOT}docs/lock-protocol.md`, 'utf8');
  const example = BLOCKS.find(({ file }) => file === 'agent.lock')?.text ?? '';
  const town = makeTown({ marked: false, workers: ['tree'] });
  const command = ['exec', '--session', '%3', 'tree', '--', 'cat', '.runtime/agent.lock'];
  const written = JSON.parse(doctor(command, { cwd: town.root }).stdout) as object;
  expect(Object.keys(JSON.parse(example) as object)).toEqual(Object.keys(written));
  const [, table = ''] = /## The record\n([\s\S]*?)\n## /.exec(page) ?? [];
  for (const field of Object.keys(written))
    expect(table).toMatch(new RegExp(`^\\|.*\x60${field}\x60.*\\|`, 'm'));
  town.lock('tree', example);
  expect(doctor(['explain', 'tree'], { cwd: town.root }).stdout).not.toContain('invalid');
});

describe('the hook that refuses a second agent', () => {
  const whenTmux = hasTmux ? test : test.skip;
  whenTmux(
    'lets the first agent in, and stops the second with exit status 2 (skipped without tmux)',
    async () => {
      const story = await makeStoryTown();
      const settings = JSON.parse(BLOCKS.find(({ file }) => file === 'settings.json')?.text ?? '') as {
        hooks: { UserPromptSubmit: { hooks: { command: string }[] }[] };
      };
      const command = settings.hooks.UserPromptSubmit[0]?.hooks[0]?.command ?? '';
      // As Claude Code runs it: the event on standard input, in the directory to which the agent went last.
      const submitIn = (project: string, cwd = project) => {
        const input = JSON.stringify({
          session_id: '7f3c2a10-93d5-4c0b-8a55-0d1c5b1f6a3e',
          transcript_path: '/home/somebody/.claude/projects/x/7f3c2a10.jsonl',
          cwd,
          permission_mode: 'default',
          hook_event_name: 'UserPromptSubmit',
          prompt: 'Go on',
        });
        const env = { ...environmentOf(story), CLAUDE_PROJECT_DIR: project };
        const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-c', command], {
          cwd,
          env,
          input,
          encoding: 'utf8',
        });
        return { status, stdout, stderr };
      };
      // Whatever is printed without blocking would become a part of the prompt.
      expect(submitIn(story.town.path('gastown/crew/new'))).toMatchObject({ status: 0, stdout: '' });
      const ada = story.town.path('gastown/crew/ada');
      for (const cwd of [ada, story.town.worker('gastown/crew/ada/src'), story.town.root])
        expect(submitIn(ada, cwd)).toEqual({
          status: 2,
          stdout: '',
          stderr: expect.stringContaining('another agent works here'),
        });
    },
  );
});
