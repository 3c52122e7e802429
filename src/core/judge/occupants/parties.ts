/**
 * Which of the agents at work at a worker belong together. Agents that share a tmux window, that descend from one another, or
 * whose arguments say that they are teammates form one party: its members know of each other and do not collide. Pure.
 */
import { groupBy } from '../../group-by.ts';
import { isFrom, lineage } from '../../town/machine-index.ts';
import { pidOfKey, type TownIndex } from '../../town/views.ts';
import type { ProcessInfo } from '../../types/evidence.ts';
import type { Occupant } from '../../types/judgement.ts';

/** One agent, or several that work together. */
export interface Party {
  /** Keys of the occupants that belong to it. */
  readonly keys: readonly string[];
  /** Describes the agent that leads it, as far as that can be told. */
  readonly text: string;
  /** Number of agents; panes that only belong to an agent's session do not count. */
  readonly agents: number;
}

interface Member extends Party {
  readonly pid: number;
  /** Identity of the tmux window that it is shown in; null outside tmux, and where tmux was not asked for it. */
  readonly window: string | null;
  readonly isTeammate: boolean;
}

const describeOccupant = ({ text, pane }: Occupant): string =>
  pane === null ? text : `${text} (${pane.socket})`;

const windowOf = ({ key }: Occupant, index: TownIndex): string | null => {
  const view = index.machine.panes.find((candidate) => candidate.key === key);
  return view?.pane.windowId === undefined ? null : `${view.server.socket}:${view.pane.windowId}`;
};

/** The agent that was started first here, below which all others of the occupant run, carries a teammate's arguments. */
const isOfTeam = ({ pid, key }: Occupant, index: TownIndex): boolean => {
  const isOfOccupant = (line: readonly number[]): boolean =>
    line.includes(pidOfKey(index.machine.key, key) ?? pid);
  const isAgent = (process: ProcessInfo | undefined): boolean =>
    process !== undefined && index.machine.classify(process).class === 'agent';
  return index.machine.seen.processes.list.some((process) => {
    if (process.teammate !== true || !isAgent(process)) return false;
    const line = [...lineage(process.pid, index)];
    return isOfOccupant(line) && !line.slice(1).some((above) => isAgent(index.machine.processes.get(above)));
  });
};

/** Panes of one session (or group of sessions) are one agent unless several of them show an agent command. */
const membersAmong = (occupants: readonly Occupant[], index: TownIndex): readonly Member[] => {
  const groups = groupBy(
    occupants.filter((occupant) => !occupant.visiting),
    (occupant) => occupant.group,
  );
  const member = (shown: Occupant, group: readonly Occupant[], text: string): Member => ({
    keys: group.map(({ key }) => key),
    text,
    agents: 1,
    pid: shown.pid,
    window: windowOf(shown, index),
    isTeammate: isOfTeam(shown, index),
  });
  return [...groups.values()].flatMap((group) => {
    const agents = group.filter((occupant) => occupant.isAgent);
    if (agents.length > 1) return agents.map((agent) => member(agent, [agent], agent.text));
    const [shown] = agents.length === 1 ? agents : group;
    return shown === undefined ? [] : [member(shown, group, describeOccupant(shown))];
  });
};

const belongTogether = (one: Member, other: Member, index: TownIndex): boolean =>
  (one.window !== null && one.window === other.window) ||
  isFrom(one.pid, other.pid, index) ||
  isFrom(other.pid, one.pid, index);

/** The parties among occupants, in their order. Teammates whose leader cannot be told belong to the first party. */
export const partiesOf = (occupants: readonly Occupant[], index: TownIndex): readonly Party[] => {
  const members = membersAmong(occupants, index);
  if (members.length < 2) return members;
  const parties: Member[][] = [];
  // Leaders first: a teammate joins its leader's party, and never starts one beside it.
  for (const member of [...members].sort((a, b) => Number(a.isTeammate) - Number(b.isTeammate))) {
    const own =
      parties.find((party) => party.some((other) => belongTogether(member, other, index))) ??
      (member.isTeammate ? parties[0] : undefined);
    if (own === undefined) parties.push([member]);
    else own.push(member);
  }
  return parties.map((party) => ({
    keys: party.flatMap(({ keys }) => keys),
    text: party[0]?.text ?? '',
    agents: party.length,
  }));
};
