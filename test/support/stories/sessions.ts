/** Stories about the tmux pane or session in a lock. */
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
    summary: 'The recorded process was a helper that has ended; the agent works in the pane of the lock.',
    snapshot: aSnapshot({ locks: [lockOfAda], servers: [aServer([aPane()])] }),
    ...heldAda,
  },
  {
    name: 'split-pane',
    summary: 'A pane was split: the session is $3 and the new pane %4, and the lock still names pane %3.',
    snapshot: aSnapshot({
      locks: [lockOfAda],
      servers: [aServer([aPane({ sessionId: '$3' }), shellPane({ id: '%4', sessionId: '$3', pid: 701 })])],
    }),
    ...heldAda,
  },
  {
    name: 'split-pane-stranger',
    summary:
      'Session $3 belongs to another worker, and pane %3 is gone: a pane ID never matches a session ID.',
    snapshot: aSnapshot({
      locks: [lockOfAda],
      servers: [aServer([aPane({ id: '%9', sessionId: '$3', sessionName: 'gt-crew-bob', path: at(BOB) })])],
    }),
    ...staleAda,
  },
  {
    name: 'recycled-session',
    summary:
      "The session name in the lock now belongs to another worker's session, in which only a shell is left.",
    snapshot: aSnapshot({
      locks: [aLock(ADA, { sessionId: 'work' })],
      servers: [aServer([shellPane({ sessionName: 'work', environment: { GT_ROLE: BOB }, path: at(BOB) })])],
    }),
    ...staleAda,
  },
  {
    name: 'recycled-pane',
    summary: "Pane %3 is another worker's shell by now, and the worker's own agent is gone.",
    snapshot: aSnapshot({
      locks: [lockOfAda],
      servers: [aServer([shellPane({ sessionName: 'gt-crew-bob', path: at(BOB) })])],
    }),
    ...staleAda,
  },
  {
    name: 'identity-crew-and-polecat',
    summary:
      'A crew member and a polecat are both called joe; both locks name gastown/joe, and only the polecat is alive.',
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
    summary: 'This user has no tmux server, and the process is gone.',
    snapshot: aSnapshot({
      locks: [lockOfAda],
      servers: [aServer([], { status: 'absent', pid: null, startedAtMs: null, sessions: 0 })],
    }),
    ...staleAda,
  },
  {
    name: 'zero-sessions',
    summary: 'The server is running without any session.',
    snapshot: aSnapshot({ locks: [lockOfAda], servers: [aServer([])] }),
    ...staleAda,
  },
  {
    name: 'tmux-missing',
    summary:
      'tmux is not in PATH, but a server is running: its sessions cannot be seen, which does not mean that there are none.',
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
    summary: 'tmux is not installed, all processes are listed, and there is neither a server nor a socket.',
    snapshot: aSnapshot({
      locks: [lockOfAda],
      over: { tmux: { installed: false, servers: [], enumerated: true } },
    }),
    ...staleAda,
  },
  {
    name: 'tmux-stopped',
    summary: 'The server was stopped with SIGSTOP and never answers.',
    snapshot: aSnapshot({ locks: [lockOfAda], servers: [failed('did not answer within 2000 ms')] }),
    ...unknownAda,
  },
  {
    name: 'socket-refused',
    summary: 'The socket cannot be opened.',
    snapshot: aSnapshot({
      locks: [lockOfAda],
      servers: [failed(`error connecting to ${SOCKET} (Permission denied)`)],
    }),
    ...unknownAda,
  },
  {
    name: 'socket-deleted',
    summary: 'A running server has lost its socket, and its panes may be in this town.',
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
    summary: 'A server that cannot be asked is known to work outside the town: no doubt.',
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
    summary: 'The known sockets answered, but running servers could not be counted.',
    snapshot: aSnapshot({
      locks: [lockOfAda],
      over: { tmux: { installed: true, servers: [], enumerated: false } },
    }),
    ...unknownAda,
  },
  {
    name: 'foreign-named-socket',
    summary: "The agent's server has a socket with an unexpected name.",
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
    summary: 'Another town of the same name has its own ada, whose pane is not ours.',
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
    summary: 'The pane was respawned: same ID, younger process, same worker.',
    snapshot: aSnapshot({
      locks: [lockOfAda],
      servers: [aServer([aPane()])],
      processes: [aProcess(700, { ppid: 600, startedAtMs: NOW - 60_000, startToken: '999999' })],
    }),
    ...heldAda,
  },
  {
    name: 'restarted-server',
    summary: 'The server was restarted after the lock was taken, and pane %3 is the witness now.',
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
    summary: 'The session shows only a shell: the agent has exited, and a person may start it again.',
    snapshot: aSnapshot({ locks: [lockOfAda], servers: [aServer([shellPane()])] }),
    locks: { [ADA]: 'held idle' },
    findings: [`idle-session:${ADA}`],
    exit: 0,
  },
  {
    name: 'pane-dead',
    summary: 'The pane stays on the screen after its process ended (remain-on-exit).',
    snapshot: aSnapshot({ locks: [lockOfAda], servers: [aServer([aPane({ dead: true })])] }),
    ...staleAda,
  },
  {
    name: 'drifted',
    summary: 'The agent was resumed in another pane, and the lock was not rewritten.',
    snapshot: aSnapshot({ locks: [lockOfAda], servers: [aServer([aPane({ id: '%7' })])] }),
    locks: { [ADA]: 'held drifted' },
    findings: [],
    exit: 0,
  },
  {
    name: 'visiting-agent',
    summary: "The pane belongs to ada by its session, but the agent is in another worker's directory.",
    snapshot: aSnapshot({ locks: [lockOfAda], servers: [aServer([aPane({ path: at(BOB) })])] }),
    ...heldAda,
  },
  {
    name: 'grouped-sessions',
    summary: 'Two sessions of one group show the same pane: one agent, no collision.',
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
    summary: 'Two agents work in panes of one tmux window: a team counts as one and is not a collision.',
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
    summary: 'One identity is alive on two sockets.',
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
    summary:
      'The locks of two workers, taken at different times, name one live pane that could belong to either.',
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
    summary: 'Two agents share a directory without a lock.',
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
