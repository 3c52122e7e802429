/**
 * Who may read how a lock is released by force. An agent that is refused follows whatever command the refusal names: the
 * recipe is shown to a person at a terminal only, never into a pipe, and never where the environment says that an agent asks.
 */
import type { Terminal } from '../terminal/terminal.ts';

/** Variables that agents set for the commands they run, and that Gas Town sets for its agents. */
const SET_BY_AGENTS: readonly string[] = [
  'CLAUDECODE',
  'CODEX_THREAD_ID',
  'CODEX_SANDBOX',
  'CURSOR_AGENT',
  'GEMINI_CLI',
  'QWEN_CODE',
  'OPENCODE',
  'CLINE_ACTIVE',
  'AUGMENT_AGENT',
  'GOOSE_TERMINAL',
  'COPILOT_CLI',
  'AMP_THREAD_ID',
  'AGENT',
  'AI_AGENT',
  'GT_ROLE',
];

/** True where a person reads what is printed, as far as anybody can tell. */
export const isPersonAt = ({ env, stdout }: Pick<Terminal, 'env' | 'stdout'>): boolean =>
  stdout.isTTY && !SET_BY_AGENTS.some((name) => env[name] !== undefined && env[name] !== '');

/** How a page tells the recipe for the lock that it is about. */
export const RECIPE_BEGINS = 'To override:';

/** Where a sentence of a wrapped paragraph ends. */
const BETWEEN_SENTENCES = /(?<=[.:])\s+(?=[A-Z])/;

const FOR_A_PERSON = 'A person at a terminal may release a lock by name.';

/** The Markdown of a page without its recipe: a sentence that contains it is for persons only. */
export const withoutForceRecipe = (markdown: string): string =>
  markdown
    .split('\n\n')
    .filter((paragraph) => !paragraph.startsWith(RECIPE_BEGINS))
    .map((paragraph) =>
      paragraph.includes('--force')
        ? paragraph
            .split(BETWEEN_SENTENCES)
            .map((sentence) => (sentence.includes('--force') ? FOR_A_PERSON : sentence))
            .join(' ')
        : paragraph,
    )
    .join('\n\n');
