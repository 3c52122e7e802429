/** The variables with which Gas Town names an agent. */
import type { GasTownEnvironment } from '../../core/types/evidence.ts';

/** The variables with which Gas Town names an agent, in the order in which they are asked for. */
export const GAS_TOWN_VARIABLES = [
  'GT_ROLE',
  'GT_RIG',
  'GT_CREW',
  'GT_POLECAT',
  'GT_ROOT',
  'GT_TOWN_ROOT',
] as const;

export type GasTownVariable = (typeof GAS_TOWN_VARIABLES)[number];

/** Picks those variables; empty and missing ones are absent. */
export const gasTownVariables = (read: (name: GasTownVariable) => string | undefined): GasTownEnvironment =>
  pick(GAS_TOWN_VARIABLES, read);

/** Adds the names of the agent's commands, which are read only from the environment of its own process. */
const OF_PROCESSES = [...GAS_TOWN_VARIABLES, 'GT_PROCESS_NAMES'] as const;

const pick = <Name extends string>(
  names: readonly Name[],
  read: (name: Name) => string | undefined,
): Partial<Record<Name, string>> =>
  Object.fromEntries(
    names
      .map((name) => [name, read(name)] as const)
      .filter(([, value]) => value !== undefined && value !== ''),
  ) as Partial<Record<Name, string>>;

/** Picks them out of `NAME=value` texts (an environment, `tmux show-environment`); the first of a name counts. */
export const gasTownVariablesIn = (assignments: readonly string[]): GasTownEnvironment =>
  pick(OF_PROCESSES, (name) =>
    assignments.find((assignment) => assignment.startsWith(`${name}=`))?.slice(name.length + 1),
  );

/** The environment without values that equal `inherited`: an inherited value says nothing about its heir. */
export const withoutInherited = (
  own: GasTownEnvironment,
  inherited: GasTownEnvironment,
): GasTownEnvironment =>
  pick(OF_PROCESSES, (name) => (own[name] === inherited[name] ? undefined : own[name]));
