/** The page behind `?`. */

/** Markdown. */
export const HELP_PAGE = `# doctor top

- Up, Down, k, j: select; Space, Page Up, Page Down, g, G: by pages, first, last
- Tab, Left, Right: the next state, or the one before
- /: show only rows with these words; Enter keeps them, Esc clears them
- e, Enter: all the evidence about the selected worker
- f: release the lock of the selected worker if its holder is proven gone
- F: release every lock whose holder is proven gone
- u: restore what the last run released
- q: end

f, F and u ask before they change anything.

## What the marks mean

- A star: appeared or changed within the last minute
- collision: two agents run in this worker, or several locks claim one agent

\`doctor explain WORD\` explains every other word.
`;
