/** A git with German messages: most machines have the translation but no German locale, without which git prints English. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string>>;

const ENGLISH: Environment = { LANGUAGE: 'en', LC_ALL: 'C' };

/** Creates the locale if necessary, and runs git once; null if it answers in English. */
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

/** The environment for git in each available language; `de` only if it is available. */
export const LANGUAGES: readonly (readonly [language: string, environment: Environment])[] = [
  ['en', ENGLISH],
  ...(german === null ? [] : [['de', german] as const]),
];

/** Suffix for test names if German is missing; otherwise empty. */
export const WITHOUT_GERMAN =
  german === null ? ' (German skipped: no German messages of git, or no German locale)' : '';
