/** What the journal keeps of a command line: enough to tell who acted, bounded, and without what looks like a secret. */

/** More or longer words say nothing more about who acted. */
const MAX_WORDS = 24;
const MAX_LENGTH = 200;

const CUT = '…';
const HIDDEN = '***';

/** `--api-key`, `GITHUB_TOKEN`, `x-auth`: a value given under such a name is not kept. */
const SECRET_NAME =
  /(?:^|[^a-z])(?:api[-_]?keys?|keys?|tokens?|secrets?|passw(?:or)?ds?|pass(?:phrase)?|pwd|auth(?:orization)?|bearer|cookies?|credentials?|pat)(?:$|[^a-z])/i;

/** As issuers mark their tokens: Anthropic and OpenAI, GitHub, GitLab, Slack, npm, AWS, Google, and JSON Web Tokens. */
const MARKED_TOKEN =
  /(?:^|[^A-Za-z0-9])(?:sk-|gh[pousr]_|github_pat_|glpat-|xox[a-z]-|npm_|AKIA|ASIA|AIza|eyJ)[A-Za-z0-9_.-]{8,}/;

/** A long run of letters and digits: neither a word of a language nor a path. */
const RANDOM = /^(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9+_=-]{32,}$/;

/** `https://user:password@host` */
const USER_INFO = /([A-Za-z][A-Za-z0-9+.-]*:\/\/)[^/@\s]+@/g;

/**
 * The words of a command line that are kept. Of a command after `--`, which is not ours, only the program is kept. A
 * word that looks like a secret, or follows an option that names one, becomes `***`; what is left out becomes `…`.
 */
export const keptCommand = (words: readonly string[]): readonly string[] => {
  const separator = words.indexOf('--');
  const ours = separator < 0 ? words : words.slice(0, separator + 2);
  const kept = ours.slice(0, MAX_WORDS).map((word, at) => {
    const before = ours[at - 1] ?? '';
    return before.startsWith('-') && before !== '--' && !before.includes('=') && SECRET_NAME.test(before)
      ? HIDDEN
      : keptWord(word);
  });
  return kept.length < words.length ? [...kept, CUT] : kept;
};

const keptWord = (word: string): string => {
  const equals = word.indexOf('=');
  const name = word.slice(0, Math.max(equals, 0));
  const value = word.slice(equals + 1);
  if (SECRET_NAME.test(name) || looksSecret(value))
    return name === '' ? HIDDEN : bounded(`${name}=${HIDDEN}`);
  return bounded(word.replace(USER_INFO, `$1${HIDDEN}@`));
};

const looksSecret = (value: string): boolean => MARKED_TOKEN.test(value) || RANDOM.test(value);

const bounded = (word: string): string => {
  const characters = [...word.slice(0, MAX_LENGTH + 1)];
  return word.length > MAX_LENGTH ? `${characters.slice(0, MAX_LENGTH - 1).join('')}${CUT}` : word;
};
