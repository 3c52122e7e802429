/** Commands of a report, rewritten so that they work when pasted here and happen on the machine that they are about. */
import type { CommandThere } from '../core/fleet/label.ts';
import { optionWith } from '../core/report/name-worker.ts';
import type { FoundTown } from '../look.ts';
import { commandOn, type Machine, onTown } from './machine.ts';

/**
 * A command of the doctor is told where with `--on`; any other one is run there by whatever reaches that machine. So no path that
 * another machine named is ever touched here.
 *
 * @param roots the town's root on each machine that has it
 * @param place the town here, whose configuration may name the machine
 */
export const commandThere =
  (
    machines: readonly Machine[],
    roots: ReadonlyMap<string, string>,
    { place }: { readonly place: FoundTown | null },
  ): CommandThere =>
  (name, command) => {
    const machine = machines.find((one) => one.name === name);
    if (machine === undefined) return command;
    if (command[0] !== 'doctor') return commandOn(machine, command);
    const at = command.indexOf('--town');
    const without = at < 0 ? command : [...command.slice(0, at), ...command.slice(at + 2)];
    const root = roots.get(name);
    const ours = place === null ? [] : ['--town', place.town.root];
    return [
      ...without,
      ...ours,
      ...optionWith('on', (root === undefined ? null : onTown(name, root)) ?? name),
    ];
  };
