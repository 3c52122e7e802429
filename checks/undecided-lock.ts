/** Locks that could not be judged, for lack of evidence or because they are of another host, and places that may not be read. */
import {
  advice,
  type ClosedHome,
  closedHomesOf,
  defineCheck,
  doubtOf,
  type Finding,
  type Fix,
  firstUnreached,
  isContainerId,
  type LostRepository,
  lostRepositoriesOf,
  mainGitDirOf,
  ofKind,
  optionWith,
  relativeTo,
  repairCommand,
  type Snapshot,
  sinceAtEnd,
  summary,
  townOption,
  type Verdict,
} from '../src/check.ts';

/** The command that shows what the answer would be if that name were a former host's; it changes nothing. */
const asFormerHost = (hostname: string, town: Snapshot['town']): readonly (readonly string[])[] => [
  ['doctor', 'locks', ...optionWith('former-host', hostname), ...townOption(town)],
];

const fixForForeign = ({ reasons, holder }: Verdict, { town, machine: { host } }: Snapshot): Fix => {
  const hostname = holder?.hostname ?? '';
  if (reasons.includes('other-namespace') || hostname === '')
    return advice("run doctor in the container that took it; it can't be checked from here");
  const name = `add "${hostname}" to "formerHosts" in lock-doctor.json`;
  if (isContainerId(hostname))
    return advice(
      `${hostname} looks like a container id: run doctor in it; if that container is gone for good, ${name}`,
      asFormerHost(hostname, town),
    );
  const here = host.platform === 'darwin' ? 'this Mac' : 'this machine';
  return advice(
    /\.(local|lan|home)$/i.test(hostname)
      ? `run doctor on ${hostname}; if that is ${here} under another name, or is gone for good, ${name}`
      : `run doctor on ${hostname}; it can't be checked from here. If that host is gone for good, or is ${here} now, ${name}`,
    asFormerHost(hostname, town),
  );
};

/** The commands only look: in doubt, whoever runs them without reading on must not break a lock. */
const look = ({ lock }: Verdict): readonly (readonly string[])[] => [['ls', '-l', lock.path]];

/** Its process works for other agents too, so its own agent may be finished: only its user knows. */
const fixForShared = ({ lock, holder }: Verdict): Fix => {
  const pid = holder?.truePid ?? 0;
  const otherwise =
    lock.tree === undefined
      ? 'if it has forgotten this lock, restart it'
      : 'if its agent is done, unlock the worktree yourself (git worktree unlock)';
  return advice(`once process ${pid} ends, --fix can release it; ${otherwise}`, [['ps', '-fp', `${pid}`]]);
};

/** Its process may be running where doctor is not: only a doctor there, or its user, can tell. */
const fixForOtherSystem = (verdict: Verdict): Fix => {
  const where = 'run doctor on the system that took it; if no other system shares this directory';
  return advice(
    verdict.lock.tree?.path == null
      ? `${where}, remove it yourself`
      : `${where}, or its agent is done, unlock the worktree yourself (git worktree unlock)`,
    look(verdict),
  );
};

/** Its session may be on the tmux server of a user who is never asked; null where it is not. */
const fixForUnasked = ({ reasons, strangers }: Verdict, { machine }: Snapshot): Fix | null => {
  if (!reasons.includes('session-unknown') || strangers.length > 0) return null;
  const server = machine.tmux.servers.find(({ strangersUid }) => strangersUid !== undefined);
  if (server === undefined) return null;
  if (machine.host.uid !== 0)
    return advice('run doctor as root, who sees where the processes of that server work');
  const { pid, strangersUid: uid } = server;
  return advice(
    `ask ${uid == null ? 'the owner of that server' : `user ${uid}`} whether the session is there; doctor ignores the server once only idle shells of it work in this directory`,
    pid === null ? [] : [['ps', '-fp', `${pid}`]],
  );
};

/** A tmux server that may have its session, or an agent here, did not answer; null where the doubt is another. */
const fixForUnreached = (verdict: Verdict, { machine: { tmux, host } }: Snapshot): Fix | null => {
  const server = tmux.installed ? firstUnreached(tmux) : undefined;
  if (server === undefined || !doubtOf(verdict).includes(server.socket)) return null;
  const { pid, reason } = server;
  const numbers = pid === null ? [] : [`${pid}`];
  if (reason?.includes('kill -USR1'))
    return advice('let the server make its socket again, then run doctor again', [
      ['kill', '-USR1', ...numbers],
    ]);
  if (reason?.startsWith('did not answer'))
    return advice(
      'if it is stopped (T in the output of ps), kill -CONT lets it go on; else --timeout gives it more time',
      numbers.map((number) => ['ps', '-o', 'pid,stat,user,command', '-p', number]),
    );
  if (host.uid !== 0) return advice('run doctor as root, who sees where the programs of that server work');
  return advice(
    'doctor ignores that server once none of its programs works here; see which do',
    numbers.map((number) => ['ps', '-f', '--ppid', number]),
  );
};

const fixForUnknown = (verdict: Verdict, snapshot: Snapshot): Fix => {
  const tmux = fixForUnasked(verdict, snapshot) ?? fixForUnreached(verdict, snapshot);
  if (tmux !== null) return tmux;
  const { host } = snapshot.machine;
  const { reasons, strangers, lock } = verdict;
  if (reasons.includes('process-shared') && strangers.length === 0) return fixForShared(verdict);
  if (reasons.includes('other-system') && strangers.length === 0) return fixForOtherSystem(verdict);
  if (reasons.includes('unreadable'))
    return advice('let doctor read the file, then run it again', look(verdict));
  if (reasons.includes('network-disk'))
    return advice(
      'once no git works in this repository, on any machine that has this disk, remove the file yourself',
      look(verdict),
    );
  if (strangers.length === 0 && lock.pathBytes !== null && reasons.includes('git-unknown'))
    return advice(
      'its path is not UTF-8, so doctor cannot tell who uses it; once no git works in this repository, remove it by hand, or rename that part of the path and run doctor again',
    );
  if (
    host.initialPidNamespace === true &&
    (reasons.includes('file-unknown') || reasons.includes('git-unknown'))
  )
    return advice(
      host.uid === 0
        ? 'run doctor again once the process that is in doubt has ended'
        : 'run doctor as a user who may look at all processes (root)',
    );
  if (reasons.includes('flock-unknown'))
    return advice(
      'whoever has it open may hold it; the file stays in either case, so wait until it is closed',
    );
  if (reasons.includes('not-refreshed'))
    return advice(
      `its holder touches it while it works; once nothing uses it, remove it yourself (${lock.stamp === null ? 'rmdir' : 'rm'})`,
      look(verdict),
    );
  if (strangers.length > 0)
    return advice('wait until it exits, or say what it is: doctor explain undecided-lock shows how');
  if (lock.tree?.movedTo !== undefined)
    return advice('tell git where its working tree is now', [
      repairCommand(mainGitDirOf(lock), lock.tree.movedTo),
    ]);
  if (lock.tree?.isCutOff === true && lock.tree.path !== null)
    return advice('if the repository was moved, tell its working tree where it is now', [
      repairCommand(mainGitDirOf(lock), lock.tree.path),
    ]);
  if (lock.tree?.astray !== undefined)
    return advice(
      'find out where its working tree is; where it was moved, git worktree repair PATH sets that right',
      [['git', '-C', mainGitDirOf(lock), 'worktree', 'list']],
    );
  if (namesTheSystem(verdict, snapshot))
    return advice(
      'run doctor in the container or sandbox that took it; if there is none, doctor explain undecided-lock says what to do',
    );
  if (host.initialPidNamespace === true && isNumberInUse(verdict, snapshot))
    return advice('look at that process; once it ends, --fix can release the lock', [
      ['ps', '-fp', `${verdict.holder?.truePid}`],
    ]);
  const isUnseen =
    reasons.some((reason) => /^(?:process|file|git)-unknown$/.test(reason)) ||
    (host.unseenOutside !== undefined && reasons.includes('occupants-unknown'));
  return advice(
    isUnseen && host.initialPidNamespace !== true
      ? 'run doctor outside this container or sandbox, where the holder may be'
      : 'fix what could not be reached, then run doctor again',
  );
};

/** What was found where the process was looked up that the lock names; undefined where it was not. */
const lookupOf = ({ holder }: Verdict, { machine }: Snapshot) =>
  machine.processes.lookups.find(({ pid }) => pid === holder?.truePid);

/** Its number is that of a thread of the kernel, or of init. */
const namesTheSystem = (verdict: Verdict, snapshot: Snapshot): boolean =>
  lookupOf(verdict, snapshot)?.process?.isOfSystem === true;

/** Nothing was out of reach: some process has the number of the lock, but whose it is cannot be told. */
const isNumberInUse = (verdict: Verdict, snapshot: Snapshot): boolean =>
  verdict.reasons.includes('process-unknown') && lookupOf(verdict, snapshot)?.answer === 'exists';

const findingFor = (verdict: Verdict, snapshot: Snapshot): Finding => {
  const { lock, state, notes, facts } = verdict;
  const isUnknown = state === 'unknown';
  const blocks = notes.includes('would-block');
  return {
    severity: isUnknown || blocks ? 'warning' : 'info',
    worker: lock.worker,
    lock: lock.id,
    message: isUnknown
      ? `${ofKind(verdict)}cannot tell: ${doubtOf(verdict)}${sinceAtEnd(verdict)}${notes.includes('gone') ? '; its directory is gone' : ''}`
      : `${summary(verdict)}${blocks ? '; its PID is in use here' : ''}`,
    evidence: facts,
    fix: isUnknown ? fixForUnknown(verdict, snapshot) : fixForForeign(verdict, snapshot),
    ...(isUnknown ? {} : { doubt: false as const }),
  };
};

/** For each kind of closed place, what the finding says and what to do about it. */
const CLOSED: Readonly<Record<ClosedHome['is'], readonly [says: string, remedy: string]>> = {
  symlink: [
    'is a symbolic link; doctor does not follow it, and a live lock may lie behind it',
    'see where it leads and whether an agent has its lock there; once nobody works here, put a directory in its place',
  ],
  other: [
    'is not a directory; doctor does not open what stands there',
    'find out what put it there, then move it out of the way',
  ],
  directory: [
    'cannot be looked into, and a live lock may lie in it',
    'run doctor as a user who may read that directory',
  ],
};

const findingAt = ({ worker, path, is, why }: ClosedHome, { town: { root } }: Snapshot): Finding => {
  const [says, remedy] = CLOSED[is];
  return {
    severity: 'warning',
    worker,
    lock: null,
    about: relativeTo(root, path) ?? path,
    message: `cannot tell: ${path.slice(path.lastIndexOf('/') + 1)} ${says}`,
    evidence: [{ source: 'lock', text: `${path}: ${why}` }],
    fix: advice(remedy, [['ls', '-ld', path]]),
  };
};

/** What to do where the `.git` of a working tree leads nowhere, and what to look at first. */
const remedyFor = (
  { is, repository, trees: [tree], repair }: LostRepository,
  { town: { root } }: Snapshot,
): readonly [text: string, command: readonly string[]] => {
  const entry = `${root === '/' ? '' : root}/${tree === '.' ? '' : `${tree}/`}.git`;
  const place = repository ?? entry;
  if (repair !== null)
    return [
      `its files are in ${repair.gitDir}: if the repository was moved, connect the two again`,
      repairCommand(repair.gitDir, ...repair.trees),
    ];
  switch (is) {
    case 'gone':
      return [
        'if the repository was moved, run git worktree repair PATH in it, where PATH is this directory; if it is gone for good, no lock of git is left: move away what you need, then remove this directory',
        ['ls', '-ld', place],
      ];
    case 'forgotten':
      return [
        'git no longer works here, and none of its locks are left: move away what you need, remove this directory, and add the working tree again',
        ['git', '-C', place, 'worktree', 'list'],
      ];
    case 'unseen':
      return [
        'run doctor where that path exists: in the container, or once its disk is mounted; if it is gone for good, move away what you need, then remove this directory',
        ['ls', '-ld', place],
      ];
    case 'closed':
      return [
        'run doctor as the user to whom it belongs; if that is you, the repository is damaged: once no git works there, remove the lock in it by hand',
        ['ls', '-l', place],
      ];
    case 'symlink':
      return ['run doctor there', ['doctor', '--town', place.replace(/\/\.git$/, '') || '/']];
    case 'odd':
      return [
        'git does not work there either: find out what put it there; git worktree repair PATH, run in the repository, writes that file again',
        ['ls', '-ld', entry],
      ];
  }
};

const findingOf = (lost: LostRepository, snapshot: Snapshot): Finding => {
  const { trees, why } = lost;
  const [tree, ...others] = trees;
  const [text, command] = remedyFor(lost, snapshot);
  const more =
    others.length > 0 ? `; so do those of ${others.length} more: ${others.slice(0, 3).join(', ')}` : '';
  return {
    severity: 'warning',
    worker: tree,
    ...(others.length > 0 ? { workers: trees } : {}),
    lock: null,
    about: `${tree === '.' ? '' : `${tree}/`}.git`,
    message: `the locks of git could not be looked for: .git ${why}${more}${others.length > 3 ? ' …' : ''}`,
    evidence: [{ source: 'git', text: `${tree}: .git ${why}` }],
    fix: advice(text, [command]),
  };
};

/** One finding for all files that may be locked and the kernel does not tell: they are never released, so this blocks nobody. */
const untoldFlocks = ({ machine: { files, host }, town: { root } }: Snapshot): readonly Finding[] => {
  const { untold = [], hidden = null } = files?.flocks ?? {};
  const [first] = untold;
  if (first === undefined) return [];
  const name = relativeTo(root, first) ?? first;
  const others = untold.length > 1 ? ` and ${untold.length - 1} more` : '';
  return [
    {
      severity: 'info',
      worker: '.',
      lock: null,
      about: 'flock',
      message: `cannot tell whether anybody holds ${name}${others} (flock)`,
      evidence: [{ source: 'processes', text: hidden ?? 'its holder could not be determined' }],
      fix: advice(
        host.platform === 'linux'
          ? 'run doctor as root, or outside this container'
          : 'the file stays in either case; to see who has it open',
        host.platform === 'linux' ? [] : [['lsof', first]],
      ),
    },
  ];
};

export default defineCheck({
  id: 'undecided-lock',
  title: 'Undecided locks',
  summary: 'The lock could not be checked, or was taken on another host.',
  reportsDoubt: true,
  run: ({ verdicts, snapshot }) => [
    ...verdicts
      .filter(({ state }) => state === 'unknown' || state === 'foreign')
      .map((verdict) => findingFor(verdict, snapshot)),
    ...closedHomesOf(snapshot).map((home) => findingAt(home, snapshot)),
    ...lostRepositoriesOf(snapshot).map((lost) => findingOf(lost, snapshot)),
    ...untoldFlocks(snapshot),
  ],
});
