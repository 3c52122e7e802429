/** Files that `doctor init` writes as they stand here. */

/** Every key of the configuration, commented out but for one that says what holds anyway. */
export const CONFIG_TEXT = `{
  // Settings of doctor for this town. Every key is optional, and comments
  // are allowed. Options on the command line win.

  // Your own agents, by the name of their command. One that runs in a
  // directory holds it.
  // "agents": ["my-agent"],

  // Programs that never count as agents.
  // "bystanders": ["my-linter"],

  // Host names that are gone for good, or were this machine's. Their locks
  // are judged like local ones.
  // "formerHosts": ["4e449adbac66"],

  // tmux servers to ask, by name or path, instead of those that are found.
  // "sockets": ["work"],

  // Checks of your own: paths from here, or packages.
  // "plugins": ["./checks/long-held.js"],

  // Checks to skip. See: doctor checks
  // "skip": ["legacy-layout"],

  // Kinds of lock to ignore. See: doctor explain git-worktree
  // "kinds": { "git-worktree": false },

  // Other machines where agents of this town work, and how to reach them.
  // See docs/machines.md.
  // "machines": { "mini": { "reach": ["ssh", "mini"] } },

  // A lease that exec takes besides the lock: one agent per worker on all
  // machines. See docs/leases.md.
  // "lease": { "address": "etcd://etcd-1:2379/town" },

  // Time limit of each tmux call, in milliseconds.
  // "timeout": 2000,

  // What counts as a problem (exit code 1): info, warning or error.
  "failOn": "warning"
}
`;

const blockingOn20 = (question: string): string =>
  `${question} >&2; [ $? -ne 20 ] || { echo 'another agent works here: stop' >&2; exit 2; }`;

/** As in docs/recipes.md: each prompt of a second agent is blocked. The agent may have gone to another directory meanwhile. */
export const HOOK_COMMAND = blockingOn20(`doctor preflight --for prompt -q "\${CLAUDE_PROJECT_DIR:-$PWD}"`);

/** What earlier versions wrote and recommended in its place: these count the agent that asks, or ask about where it is now. */
export const FORMER_HOOK_COMMANDS: readonly string[] = [
  blockingOn20('doctor preflight -q "$PWD"'),
  blockingOn20(`doctor preflight -q "\${CLAUDE_PROJECT_DIR:-$PWD}"`),
];

export const HOOK_ENTRY = { hooks: [{ type: 'command', command: HOOK_COMMAND }] } as const;

/** Settings of Claude Code that are nothing but this hook. */
export const HOOK_TEXT = `${JSON.stringify({ hooks: { UserPromptSubmit: [HOOK_ENTRY] } }, null, 2)}\n`;
