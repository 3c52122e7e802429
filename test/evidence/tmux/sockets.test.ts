import { chmodSync, linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  type SocketQuestion,
  socketCandidates,
  townSocketNames,
} from '../../../src/evidence/tmux/sockets.ts';
import {
  asOtherUser,
  canBecomeOthers,
  cleanUp,
  listenAt,
  makeTmuxTmpdir,
  OTHER_UID,
} from '../../support/index.ts';

const asRoot = canBecomeOthers ? test : test.skip;

describe('the socket names of a town', () => {
  test.each([
    ['/home/ubuntu/gt', ['gt-ae82a2', 'gt', 'default']],
    ['/root/gt', ['gt-7c82dd', 'gt', 'default']],
    ['/tmp/fixture/My Town', ['my-town-658301', 'my-town', 'default']],
    ['/srv/GasTown_2', ['gastown-2-eb14b0', 'gastown-2', 'default']],
    ['/home/u/町', ['default-735bbf', 'default']],
  ])('of %s are %j', (root, names) => {
    expect(townSocketNames(root).map(({ name }) => name)).toEqual(names);
  });

  test('follow the name of a symlink to the town, with the digest of the real path', () => {
    const names = townSocketNames('/root/gt', ['/home/u/Town']).map(({ name }) => name);
    expect(names).toEqual(['gt-7c82dd', 'town-7c82dd', 'gt', 'town', 'default']);
  });
});

describe('the sockets to query', () => {
  afterEach(cleanUp);

  const uid = 4_000_000;
  const setUp = () => {
    const base = makeTmuxTmpdir();
    const directory = join(base, `tmux-${uid}`);
    mkdirSync(directory);
    const ask = (question: Partial<SocketQuestion> = {}) =>
      socketCandidates({
        ...{ env: { TMUX_TMPDIR: base }, uids: [uid], root: '/root/gt', aliases: [], sockets: [] },
        ...question,
      }).map(({ path, origin, presence }) => [path.replace(base, ''), origin, presence]);
    return { base, directory, ask };
  };

  test("are the town's, the legacy one, the default one, and all others in the directory", async () => {
    const { directory, ask } = setUp();
    for (const name of ['other', 'gt-7c82dd', 'default', 'gt']) await listenAt(join(directory, name));
    expect(ask()).toEqual([
      [`/tmux-${uid}/gt-7c82dd`, 'town', 'socket'],
      [`/tmux-${uid}/gt`, 'legacy', 'socket'],
      [`/tmux-${uid}/default`, 'default', 'socket'],
      [`/tmux-${uid}/other`, 'directory', 'socket'],
    ]);
  });

  test('are none without a directory of sockets, and nothing is created', () => {
    const { base, directory, ask } = setUp();
    rmSync(directory, { recursive: true });
    expect(ask()).toEqual([]);
    expect(ask({ env: { TMUX_TMPDIR: join(base, 'missing') } })).toEqual([]);
  });

  test('begin with those that the environment names, whether or not they exist', async () => {
    const { base, directory, ask } = setUp();
    await listenAt(join(directory, 'inside'));
    const TMUX = `${join(directory, 'inside')},12,0`;
    expect(ask({ env: { TMUX_TMPDIR: base, GT_TMUX_SOCKET: 'mine', TMUX } })).toEqual([
      [`/tmux-${uid}/mine`, 'env', 'none'],
      [`/tmux-${uid}/inside`, 'env', 'socket'],
    ]);
    for (const GT_TMUX_SOCKET of ['', 'default', 'auto'])
      expect(ask({ env: { TMUX_TMPDIR: base, GT_TMUX_SOCKET } })).toEqual([
        [`/tmux-${uid}/inside`, 'directory', 'socket'],
      ]);
  });

  test('are only the requested ones, by name or path', async () => {
    const { base, directory, ask } = setUp();
    await listenAt(join(directory, 'default'));
    await listenAt(join(directory, 'mine'));
    await listenAt(join(base, 'elsewhere'));
    expect(ask({ sockets: ['mine', join(base, 'elsewhere'), 'missing'] })).toEqual([
      [`/tmux-${uid}/mine`, 'flag', 'socket'],
      ['/elsewhere', 'flag', 'socket'],
      [`/tmux-${uid}/missing`, 'flag', 'none'],
    ]);
  });

  test('include each socket once, however many names it has, and nothing else', async () => {
    const { base, directory, ask } = setUp();
    await listenAt(join(directory, 'one'));
    linkSync(join(directory, 'one'), join(directory, 'two'));
    symlinkSync(join(directory, 'one'), join(directory, 'three'));
    symlinkSync(join(base, 'nowhere'), join(directory, 'dangling'));
    writeFileSync(join(directory, 'file'), '');
    mkdirSync(join(directory, 'directory'));
    expect(ask().map(([, origin, presence]) => [origin, presence])).toEqual([['directory', 'socket']]);
  });

  asRoot('include a directory that may not be read (skipped without root)', async () => {
    const base = makeTmuxTmpdir();
    mkdirSync(join(base, `tmux-${OTHER_UID}`), { mode: 0o700 });
    chmodSync(base, 0o755);
    const question = {
      env: { TMUX_TMPDIR: base },
      uids: [OTHER_UID],
      root: '/root/gt',
      aliases: [],
      sockets: [],
    };
    const candidates = await asOtherUser(() => socketCandidates(question));
    expect(candidates).toMatchObject([
      { origin: 'directory', presence: 'closed', uid: OTHER_UID, why: expect.stringContaining('EACCES') },
    ]);
  });
});
