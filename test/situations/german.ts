/** A git that speaks German: most machines have its words and no German locale, without which it speaks English all the same. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string>>;

const ENGLISH: Environment = { LANGUAGE: 'en', LC_ALL: 'C' };

/** Makes the locale where it has to, and asks git for a word; null where it answers in English. */
const findGerman = (): Environment | null => {
  const folder = mkdtempSync(join(tmpdir(), 'locale-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const made = join(folder, 'de_DE.UTF-8');
  spawnSync('localedef', ['-i', 'de_DE', '-f', 'UTF-8', made], { stdio: 'ignore' });
  const environment = {
    LANGUAGE: 'de',
    LC_ALL: 'de_DE.UTF-8',
    ...(existsSync(made) ? { LOCPATH: folder } : {}),
  };
  const { stderr } = spawnSync('git', ['no-such-word'], {
    env: { ...process.env, ...environment },
    encoding: 'utf8',
  });
  return stderr?.includes('ist kein Git-Befehl') === true ? environment : null;
};

const german = findGerman();

/** What git is started with in each language that it speaks here, `de` only where it does. */
export const LANGUAGES: readonly (readonly [language: string, environment: Environment])[] = [
  ['en', ENGLISH],
  ...(german === null ? [] : [['de', german] as const]),
];

/** Said by the rows that German is missing from; empty where it is not. */
export const WITHOUT_GERMAN =
  german === null ? ' (German skipped: git has no words, or the system no locale)' : '';
