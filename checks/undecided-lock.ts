import {
  advice,
  defineCheck,
  doubtOf,
  type Fix,
  isContainerId,
  optionWith,
  type Snapshot,
  summary,
  type Verdict,
} from '../src/check.ts';

/** Looks again as though that name were a former host's, which changes nothing but the answer. */
const asFormerHost = (hostname: string, root: string): readonly (readonly string[])[] => [
  ['doctor', 'locks', ...optionWith('former-host', hostname), '--town', root],
];

const fixForForeign = (
  { reasons, holder }: Verdict,
  { town: { root }, machine: { host } }: Snapshot,
): Fix => {
  const hostname = holder?.hostname ?? '';
  if (reasons.includes('other-namespace') || hostname === '')
    return advice("run doctor in the container that took it; it can't be checked from here");
  const name = `add "${hostname}" to "formerHosts" in lock-doctor.json`;
  if (isContainerId(hostname))
    return advice(
      `${hostname} looks like a container id: run doctor in it; if that container is gone for good, ${name}`,
      asFormerHost(hostname, root),
    );
  const here = host.platform === 'darwin' ? 'this Mac' : 'this machine';
  return advice(
    /\.(local|lan|home)$/i.test(hostname)
      ? `run doctor on ${hostname}; if that is ${here} under another name, or is gone for good, ${name}`
      : `run doctor on ${hostname}; it can't be checked from here. If that host is gone for good, or is ${here} now, ${name}`,
    asFormerHost(hostname, root),
  );
};

const fixForUnknown = ({ reasons, strangers }: Verdict, { machine: { host } }: Snapshot): Fix =>
  advice(
    strangers.length > 0
      ? 'wait until it exits, or say what it is: doctor explain undecided-lock shows how'
      : reasons.includes('process-unknown') && host.initialPidNamespace !== true
        ? 'run doctor outside this container or sandbox, where the holder may be'
        : 'fix what could not be reached, then run doctor again',
  );

/** Locks that could not be judged: evidence was missing (doubt), or they belong to another host. */
export default defineCheck({
  id: 'undecided-lock',
  title: 'Undecided locks',
  summary: 'The lock could not be checked, or was taken on another host.',
  reportsDoubt: true,
  run: ({ verdicts, snapshot }) =>
    verdicts
      .filter(({ state }) => state === 'unknown' || state === 'foreign')
      .map((verdict) => {
        const { lock, state, notes, facts } = verdict;
        const isUnknown = state === 'unknown';
        const blocks = notes.includes('would-block');
        return {
          severity: isUnknown || blocks ? 'warning' : 'info',
          worker: lock.worker,
          lock: lock.id,
          message: isUnknown
            ? `cannot tell: ${doubtOf(verdict)}`
            : `${summary(verdict)}${blocks ? '; its PID is in use here' : ''}`,
          evidence: facts,
          fix: isUnknown ? fixForUnknown(verdict, snapshot) : fixForForeign(verdict, snapshot),
          ...(isUnknown ? {} : { doubt: false as const }),
        };
      }),
});
