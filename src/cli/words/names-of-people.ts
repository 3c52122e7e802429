/** The workers behind the names of holders and agents that reports print. Pure. */
import type { Examination, Holder, Occupant, Stranger } from '../../core/types/judgement.ts';

/** What is printed of a holder, or of an agent at work: its PID, pane, session, program, and each word of its name. */
const namesOf = (
  holder: Pick<Holder, 'pid' | 'truePid' | 'sessionId' | 'pane' | 'command'> | null,
  people: readonly (Pick<Occupant, 'pid' | 'command' | 'pane'> | Stranger)[],
): readonly (string | number | null | undefined)[] => [
  ...(holder === null
    ? []
    : [holder.pid, holder.truePid, holder.command, holder.pane?.id, holder.pane?.sessionName]),
  ...[holder?.sessionId ?? ''].flatMap((name) => [name, ...name.split(' ')]),
  ...people.flatMap((one) =>
    'program' in one ? [one.pid, one.program] : [one.pid, one.command, one.pane?.id, one.pane?.sessionName],
  ),
];

/** The workers of which a report prints this as a name of whoever holds a lock or works there. */
export const workersNamed = (word: string, { verdicts, lockless }: Examination): readonly string[] => {
  const isNamed = (names: ReturnType<typeof namesOf>): boolean =>
    word !== '' && names.some((name) => name != null && String(name) === word);
  return [
    ...new Set([
      ...verdicts
        .filter(({ holder, occupants, strangers }) => isNamed(namesOf(holder, [...occupants, ...strangers])))
        .map(({ lock }) => lock.worker),
      ...lockless.filter(({ occupant }) => isNamed(namesOf(null, [occupant]))).map(({ worker }) => worker),
    ]),
  ];
};
