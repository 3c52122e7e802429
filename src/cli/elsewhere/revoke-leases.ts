/** `--fix --force` where a lease is configured: revokes leases whose holder is proven dead, before they end by themselves. */
import type { ReportLease } from '../../core/types/report.ts';
import { noteRevocation } from '../../repair/note-take-over.ts';
import { leaseInWords } from '../../reporters/screen/lock-words.ts';
import { escapeControls } from '../../reporters/screen/safe-text.ts';
import type { Presentation } from '../../reporters/screen/style.ts';
import type { ArgumentsOf } from '../arguments/arguments.ts';
import { runWithLeases } from '../diagnose.ts';
import { commandLine } from '../terminal/command-line.ts';
import { withQuestions } from '../terminal/consent.ts';
import { notice } from '../terminal/notice.ts';
import { canAsk, type Terminal } from '../terminal/terminal.ts';

/**
 * Looks, asks, looks again, writes the journal and revokes: each lease of a named worker that is `stale` in both looks. A lease whose
 * holder is not proven dead stays; it ends by itself. Runs before the repair, which releases the lock that proves it. Throws as a
 * diagnosis does.
 */
export const revokeDeadLeases = async (
  given: ArgumentsOf<'doctor'>,
  terminal: Terminal,
  prompt: Presentation,
): Promise<void> => {
  const { dryRun, yes, worker: named } = given.options;
  // `--lock` names a lock and no worker, so it names no lease.
  if (named.length === 0) return;
  const say = (text: string): void => terminal.stderr.write(notice(text, terminal.stderr));
  const dead = deadOf((await runWithLeases(given, terminal))?.report.leases);
  if (dead.length === 0) return;
  if (dryRun) {
    for (const lease of dead) say(`would revoke the lease of ${lease.worker}: ${leaseInWords(lease)}`);
    return;
  }
  if (!yes && !(await isAgreed(dead, terminal, prompt))) return;
  terminal.finishFirst();
  const again = await runWithLeases(given, terminal);
  for (const lease of dead) {
    const { worker, epoch, key, holder } = lease;
    if (!deadOf(again?.report.leases).some((one) => one.worker === worker && one.epoch === epoch)) {
      say(`the lease of ${worker} has changed since, and stays`);
      continue;
    }
    const { pid = 0, hostname = '', sessionId = null } = holder ?? {};
    const noted = noteRevocation(
      {
        townRoot: again?.report.town?.root ?? '',
        worker,
        lease: `lease ${key}, epoch ${epoch}`,
        holder: { pid, hostname, sessionId: sessionId ?? '' },
      },
      { command: commandLine(), consent: yes ? 'yes' : 'asked' },
    );
    const problem = noted ?? (await again?.leases.revoke(worker)) ?? null;
    say(
      problem === null
        ? `revoked the lease of ${worker}, epoch ${epoch}; doctor undo cannot restore it`
        : `the lease of ${worker} was not revoked: ${problem}`,
    );
  }
};

const deadOf = (leases: readonly ReportLease[] = []): readonly ReportLease[] =>
  leases.filter(({ state }) => state === 'stale');

const isAgreed = (
  dead: readonly ReportLease[],
  terminal: Terminal,
  prompt: Presentation,
): Promise<boolean> =>
  canAsk(terminal)
    ? withQuestions(terminal, prompt, async ({ ask, say }) => {
        say(dead.map((lease) => escapeControls(`${lease.worker}: ${leaseInWords(lease)}`)));
        const answer = await ask('Revoke? doctor undo cannot restore a lease.', '[y]es, [N]o: ');
        return answer === 'y' || answer === 'yes';
      })
    : Promise.resolve(false);
