/** The command line of this run, for the journal. */

/** What was typed, with the program by its short name. */
export const commandLine = (): readonly string[] => ['doctor', ...process.argv.slice(2)];
