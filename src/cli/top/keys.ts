/** The keys of the view, whatever reads them from the terminal. */

const NAMED_KEYS = [
  'up',
  'down',
  'left',
  'right',
  'page-up',
  'page-down',
  'tab',
  'back-tab',
  'enter',
  'escape',
  'backspace',
  'interrupt',
  'suspend',
] as const;

/** A key with a name, or one character that was typed. */
export type Key =
  | { readonly name: (typeof NAMED_KEYS)[number] }
  | { readonly name: 'character'; readonly character: string };
