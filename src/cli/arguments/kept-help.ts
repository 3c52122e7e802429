/** Help texts that the build has made, so that `--help` need not load a parser. */
import { readFileSync } from 'node:fs';
import type { CommandName } from './options.ts';

/** Columns of a help text where no terminal says otherwise: the build keeps the texts of this width. */
export const USUAL_WIDTH = 80;

/**
 * The help of a command as the build kept it beside the program, for a line that asks for nothing else; null otherwise, and
 * where nothing was kept: then yargs makes it, which takes four times as long as all the rest.
 */
export const keptHelp = (command: CommandName, argv: readonly string[]): string | null => {
  if (argv.length === 0 || argv.some((word) => word !== '--help' && word !== '-h')) return null;
  try {
    const kept: unknown = JSON.parse(readFileSync(new URL('./help.json', import.meta.url), 'utf8'));
    return (kept as Partial<Record<CommandName, string>>)[command] ?? null;
  } catch {
    return null; // not built, or removed: the help is only slower
  }
};
