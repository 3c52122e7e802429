/** Tidying up puts a lock back that a killed run had moved aside. No diagnosis has judged it yet: it is judged in the same run. */
import type { Plan, PlanStep } from '../core/plan.ts';
import { isLockMovedAside } from '../core/town/moved-aside.ts';
import type { Examination } from '../core/types/judgement.ts';
import { type CarryOutOptions, carryOut } from './carry-out.ts';

/** Tidies up first where that puts locks back, and answers whether it did: then the town has to be diagnosed again. */
export const tidyPutsBack = async (
  { leftovers }: Plan,
  examination: Examination,
  options: CarryOutOptions,
): Promise<boolean> => {
  const { snapshot } = examination;
  const isAny = snapshot.leftovers.some(
    (each) => leftovers.includes(each.worker) && isLockMovedAside(each, snapshot.locks),
  );
  if (isAny) await carryOut({ steps: [], left: [], leftovers }, examination, options);
  return isAny;
};

const idOf = ({ verdict }: PlanStep): string => verdict.lock.id;

/**
 * The plan of a diagnosis that was made once such locks were back: what was agreed to before, and those locks, where they may be
 * released without force. A person who is asked is asked about them too.
 *
 * @param known ids of all locks that were judged before
 */
export const withPutBack = async (
  agreed: Plan,
  again: Plan,
  known: readonly string[],
  ask: ((plan: Plan) => Promise<readonly string[] | null>) | undefined,
): Promise<Plan> => {
  const back = again.steps.filter((step) => !known.includes(idOf(step)) && !step.force);
  const chosen =
    ask === undefined || back.length === 0
      ? back.map(idOf)
      : ((await ask({ steps: back, left: [], leftovers: [] })) ?? []);
  const wanted = new Set([...agreed.steps.map(idOf), ...chosen]);
  return { steps: again.steps.filter((step) => wanted.has(idOf(step))), left: again.left, leftovers: [] };
};
