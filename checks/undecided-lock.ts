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
    return advice('ask in the container that took it; nothing here can prove it dead');
  const name = `name "${hostname}" under "formerHosts" in lock-doctor.json`;
  if (isContainerId(hostname))
    return advice(
      `${hostname} looks like the id of a container: ask in there, or where that container is gone for good, ${name}`,
      asFormerHost(hostname, root),
    );
  const here = host.platform === 'darwin' ? 'this Mac' : 'this machine';
  return advice(
    /\.(local|lan|home)$/i.test(hostname)
      ? `ask on ${hostname}; it may be ${here} under another name: then, or where it is gone for good, ${name}`
      : `ask on ${hostname}; where it is gone for good, or is ${here} by now, ${name}`,
    asFormerHost(hostname, root),
  );
};

const fixForUnknown = ({ reasons, strangers }: Verdict, { machine: { host } }: Snapshot): Fix =>
  advice(
    strangers.length > 0
      ? 'wait for it to end, or name it in the configuration: an agent holds the worker, a bystander does not count'
      : reasons.includes('process-unknown') && host.initialPidNamespace !== true
        ? 'ask outside of this container or sandbox, where the holder may run'
        : 'make what could not be reached reachable and ask again',
  );

/** Locks that could not be judged: evidence was missing (doubt), or they belong to another host. */
export default defineCheck({
  id: 'undecided-lock',
  title: 'Undecided locks',
  summary: 'Evidence was missing, or the lock was taken on another host: nothing is concluded.',
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
            : `not from here: ${summary(verdict)}${blocks ? ', and its number is in use here' : ''}`,
          evidence: facts,
          fix: isUnknown ? fixForUnknown(verdict, snapshot) : fixForForeign(verdict, snapshot),
          ...(isUnknown ? {} : { doubt: false as const }),
        };
      }),
});
