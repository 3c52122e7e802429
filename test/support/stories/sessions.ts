/** Stories about the tmux pane or session that a lock names. */
import { absent, aLock, aPane, aProcess, aServer, aSnapshot, HOUR, NOW, SOCKET } from '../snapshot.ts';
import { ADA, at, BOB, JOE, type Story, shellPane } from './story.ts';

const failed = (reason: string) => aServer([], { status: 'failed', reason, pid: null, startedAtMs: null });
const lockOfAda = aLock(ADA);
const staleAda = { locks: { [ADA]: 'stale' }, findings: [`stale-lock:${ADA}`], exit: 1 };
const unknownAda = { locks: { [ADA]: 'unknown' }, findings: [`undecided-lock:${ADA}`], exit: 22 };
const heldAda = { locks: { [ADA]: 'held' }, findings: [], exit: 0 };

export const SESSION_STORIES: readonly Story[] = [
  {
    name: 'dead-helper-live-agent',
    tells:
      'The recorded process was a helper and is long dead; the agent works in the pane that the lock names.',
    snapshot: aSnapshot({ locks: [lockOfAda], servers: [aServer([aPane()])] }),
    ...heldAda,
  },
  {
    name: 'split-pane',
    tells:
      'Somebody split a pane once: the session is $3 and the new pane %4, and the lock still names pane %3.',
    snapshot: aSnapshot({
      locks: [lockOfAda],
      servers: [aServer([aPane({ sessionId: '$3' }), shellPane({ id: '%4', sessionId: '$3', pid: 701 })])],
    }),
    ...heldAda,
  },
  {
    name: 'split-pane-stranger',
    tells:
      "Session $3 is another worker's, and no pane %3 is left: a pane number never matches a session number.",
    snapshot: aSnapshot({
      locks: [lockOfAda],
      servers: [aServer([aPane({ id: '%9', sessionId: '$3', sessionName: 'gt-crew-bob', path: at(BOB) })])],
    }),
    ...staleAda,
  },
  {
    name: 'recycled-session',
    tells:
      "A session of the name that the lock names is another worker's by now, and its shell is all that is left.",
    snapshot: aSnapshot({
      locks: [aLock(ADA, { sessionId: 'work' })],
      servers: [aServer([shellPane({ sessionName: 'work', environment: { GT_ROLE: BOB }, path: at(BOB) })])],
    }),
    ...staleAda,
  },
  {
    name: 'recycled-pane',
    tells: "Pane %3 is another worker's shell by now, and the own agent is gone.",
    snapshot: aSnapshot({
      locks: [lockOfAda],
      servers: [aServer([shellPane({ sessionName: 'gt-crew-bob', path: at(BOB) })])],
    }),
    ...staleAda,
  },
  {
    name: 'identity-crew-and-polecat',
    tells:
      'A crew member and a polecat are both called joe; the locks name gastown/joe, and only the polecat lives.',
    snapshot: aSnapshot({
      locks: [
        aLock(JOE, { sessionId: 'gastown/joe', pid: 4242 }),
        aLock('gastown/polecats/joe', { sessionId: 'gastown/joe', pid: 4243 }),
      ],
      lookups: [absent(4242), absent(4243)],
      servers: [aServer([aPane({ sessionName: 'gt-joe', path: at('gastown/polecats/joe') })])],
    }),
    locks: { [JOE]: 'stale', 'gastown/polecats/joe': 'held' },
    findings: [`stale-lock:${JOE}`],
    exit: 1,
  },
  {
    name: 'no-tmux-server',
    tells: 'No tmux server runs for this user, and the process is gone.',
    snapshot: aSnapshot({
      locks: [lockOfAda],
      servers: [aServer([], { status: 'absent', pid: null, startedAtMs: null, sessions: 0 })],
    }),
    ...staleAda,
  },
  {
    name: 'zero-sessions',
    tells: 'The server was kept running with no session in it.',
    snapshot: aSnapshot({ locks: [lockOfAda], servers: [aServer([])] }),
    ...staleAda,
  },
  {
    name: 'tmux-missing',
    tells:
      'tmux is not in PATH, and a server of it runs: its sessions cannot be seen, and that is not the same as none.',
    snapshot: aSnapshot({
      locks: [lockOfAda],
      over: {
        tmux: { installed: false, servers: [failed('tmux is not installed')], enumerated: true },
      },
    }),
    ...unknownAda,
  },
  {
    name: 'tmux-not-needed',
    tells:
      'tmux is not installed, all processes are listed, and neither a server nor a socket of it is there.',
    snapshot: aSnapshot({
      locks: [lockOfAda],
      over: { tmux: { installed: false, servers: [], enumerated: true } },
    }),
    ...staleAda,
  },
  {
    name: 'tmux-stopped',
    tells: 'The server was stopped with SIGSTOP and never answers.',
    snapshot: aSnapshot({ locks: [lockOfAda], servers: [failed('did not answer within 2000 ms')] }),
    ...unknownAda,
  },
  {
    name: 'socket-refused',
    tells: 'The socket may not be opened.',
    snapshot: aSnapshot({
      locks: [lockOfAda],
      servers: [failed(`error connecting to ${SOCKET} (Permission denied)`)],
    }),
    ...unknownAda,
  },
  {
    name: 'socket-deleted',
    tells: 'A running server has no socket left to ask it through, and its panes could be in this town.',
    snapshot: aSnapshot({
      locks: [lockOfAda],
      servers: [
        aServer([], { status: 'absent', pid: null, startedAtMs: null }),
        aServer([], {
          socket: 'process 610',
          origin: 'process',
          status: 'failed',
          reason: 'its socket is gone',
          pid: 610,
        }),
      ],
    }),
    ...unknownAda,
  },
  {
    name: 'stranger-socket-deleted',
    tells: 'The server that cannot be asked demonstrably works outside the town: no doubt.',
    snapshot: aSnapshot({
      locks: [lockOfAda],
      servers: [
        aServer([], {
          socket: 'process 610',
          origin: 'process',
          status: 'failed',
          reason: 'its socket is gone',
          pid: 610,
          outsideTown: true,
        }),
      ],
    }),
    ...staleAda,
  },
  {
    name: 'servers-uncounted',
    tells: 'The known sockets answered, but running servers could not be counted.',
    snapshot: aSnapshot({
      locks: [lockOfAda],
      over: { tmux: { installed: true, servers: [], enumerated: false } },
    }),
    ...unknownAda,
  },
  {
    name: 'foreign-named-socket',
    tells: 'The agent lives on a socket of a name that nobody expected.',
    snapshot: aSnapshot({
      locks: [lockOfAda],
      servers: [
        aServer([]),
        aServer([aPane()], { socket: '/tmp/tmux-1000/odd', origin: 'directory', pid: 601 }),
      ],
    }),
    ...heldAda,
  },
  {
    name: 'same-basename-towns',
    tells: 'Another town of the same name runs its own ada: her pane is none of ours.',
    snapshot: aSnapshot({
      locks: [lockOfAda],
      servers: [
        aServer([aPane({ path: '/other/town/gastown/crew/ada', otherTown: '/other/town' })], {
          origin: 'default',
        }),
      ],
    }),
    ...staleAda,
  },
  {
    name: 'respawned-pane',
    tells: 'The pane was respawned: same number, younger process, still hers.',
    snapshot: aSnapshot({
      locks: [lockOfAda],
      servers: [aServer([aPane()])],
      processes: [aProcess(700, { ppid: 600, startedAtMs: NOW - 60_000, startToken: '999999' })],
    }),
    ...heldAda,
  },
  {
    name: 'restarted-server',
    tells: 'The server was restarted since the lock was taken, and pane %3 is the witness now.',
    snapshot: aSnapshot({
      locks: [lockOfAda],
      servers: [
        aServer([aPane({ sessionName: 'gt-witness', path: at('gastown/witness') })], {
          startedAtMs: NOW - HOUR,
        }),
      ],
    }),
    ...staleAda,
  },
  {
    name: 'shell-only',
    tells: 'The session stands and shows a shell: the agent has exited, and somebody may start it again.',
    snapshot: aSnapshot({ locks: [lockOfAda], servers: [aServer([shellPane()])] }),
    locks: { [ADA]: 'held idle' },
    findings: [`idle-session:${ADA}`],
    exit: 0,
  },
  {
    name: 'pane-dead',
    tells: 'The pane stays on the screen after its process ended (remain-on-exit).',
    snapshot: aSnapshot({ locks: [lockOfAda], servers: [aServer([aPane({ dead: true })])] }),
    ...staleAda,
  },
  {
    name: 'drifted',
    tells: 'The agent was resumed in another pane, and the lock was not rewritten.',
    snapshot: aSnapshot({ locks: [lockOfAda], servers: [aServer([aPane({ id: '%7' })])] }),
    locks: { [ADA]: 'held drifted' },
    findings: [],
    exit: 0,
  },
  {
    name: 'visiting-agent',
    tells: "The pane is hers by its session, while she looks around in another worker's directory.",
    snapshot: aSnapshot({ locks: [lockOfAda], servers: [aServer([aPane({ path: at(BOB) })])] }),
    ...heldAda,
  },
  {
    name: 'grouped-sessions',
    tells: 'Two sessions of one group show the same pane: one agent, no collision.',
    snapshot: aSnapshot({
      locks: [lockOfAda],
      servers: [
        aServer([
          aPane({ sessionGroup: 'ada' }),
          aPane({ sessionGroup: 'ada', sessionId: '$2', sessionName: 'gt-crew-ada-2' }),
        ]),
      ],
    }),
    ...heldAda,
  },
  {
    name: 'team',
    tells: 'Two agents work in panes of one tmux window: a team is one party and collides with nobody.',
    snapshot: aSnapshot({
      locks: [lockOfAda],
      servers: [aServer([aPane({ windowId: '@1' }), aPane({ id: '%4', pid: 701, windowId: '@1' })])],
    }),
    locks: { [ADA]: 'held team' },
    findings: [],
    exit: 0,
  },
  {
    name: 'two-sockets-collision',
    tells: 'One identity is alive on two sockets.',
    snapshot: aSnapshot({
      locks: [lockOfAda],
      servers: [
        aServer([aPane()]),
        aServer([aPane({ pid: 750 })], { socket: '/tmp/tmux-1000/default', origin: 'default', pid: 601 }),
      ],
    }),
    locks: { [ADA]: 'held' },
    findings: [`collision:${ADA}`],
    exit: 1,
  },
  {
    name: 'one-pane-two-locks',
    tells:
      'The locks of two workers, taken at different times, name one living pane that says nothing of whose it is.',
    snapshot: aSnapshot({
      locks: [lockOfAda, aLock(BOB, { pid: 4243 })],
      lookups: [absent(4242), absent(4243)],
      servers: [aServer([aPane({ sessionName: 'main', path: '/home' })])],
    }),
    locks: { [ADA]: 'held', [BOB]: 'held' },
    findings: [`collision:${ADA},${BOB}`],
    exit: 1,
  },
  {
    name: 'unlocked-collision',
    tells: 'Two agents share a directory that has no lock at all.',
    snapshot: aSnapshot({
      servers: [
        aServer([
          aPane({ id: '%1', sessionId: '$1', sessionName: 'one', pid: 701 }),
          aPane({ id: '%2', sessionId: '$2', sessionName: 'two', pid: 702 }),
        ]),
      ],
    }),
    locks: {},
    findings: [`collision:${ADA}`],
    exit: 1,
  },
];
