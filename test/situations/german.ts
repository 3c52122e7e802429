/** A git with German messages: most machines have the translation, and many only a locale that names no language. */
import { spawnSync } from 'node:child_process';

type Environment = Readonly<Record<string, string>>;

const ENGLISH: Environment = { LANGUAGE: 'en', LC_ALL: 'C' };

/** A locale other than `C` is enough for LANGUAGE to count (GNU gettext), and glibc has C.UTF-8 built in. */
const LOCALES = ['C.UTF-8', 'de_DE.UTF-8'];

/** The first environment in which git answers in German; undefined if there is none. */
const german = LOCALES.map((locale): Environment => ({ LANGUAGE: 'de', LC_ALL: locale })).find(
  (environment) => {
    const env = { ...process.env, ...environment };
    const { stderr } = spawnSync('git', ['no-such-word'], { env, encoding: 'utf8' });
    return stderr?.includes('ist kein Git-Befehl') === true;
  },
);

/** The environment for git in each available language; `de` only if it is available. */
export const LANGUAGES: readonly (readonly [language: string, environment: Environment])[] = [
  ['en', ENGLISH],
  ...(german === undefined ? [] : [['de', german] as const]),
];

/** Suffix for test names if German is missing; otherwise empty. */
export const WITHOUT_GERMAN =
  german === undefined ? ' (German skipped: no German messages of git, or no locale for them)' : '';
