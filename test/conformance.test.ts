/** Rules for the project as a whole: every check is complete, and the layers of ARCHITECTURE.md are real. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createContext, Script, SourceTextModule } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import { transformSync } from '@swc/core';
import { builtInChecks } from '../checks/index.ts';
import { builtInKinds } from '../kinds/index.ts';
import { COMMANDS } from '../src/cli/arguments/options.ts';
import { examineSnapshot } from '../src/core/judge/examine.ts';
import { runCheck } from '../src/core/run-checks.ts';
import type { Snapshot } from '../src/core/types/evidence.ts';
import { NOTES, REASONS } from '../src/core/types/judgement.ts';
import type { Report } from '../src/core/types/report.ts';
import { importedFile, importsName, PROJECT, readSources } from './support/source-files.ts';
import { exportsIn, functionsIn, lateConstantsIn } from './support/syntax.ts';

const read = (path: string): string => readFileSync(join(PROJECT, path), 'utf8');
const towns = readdirSync(join(PROJECT, 'fixtures/towns')).sort();
const snapshotOf = (town: string) => JSON.parse(read(`fixtures/towns/${town}/snapshot.json`)) as Snapshot;
const reportOf = (town: string) => JSON.parse(read(`fixtures/towns/${town}/report.json`)) as Report;
const ids = builtInChecks.map(({ id }) => id);

describe('checks', () => {
  test('of the contract run in its order', () => {
    const ofContract = [
      'invalid-lock',
      'stale-lock',
      'orphaned-lock',
      'idle-session',
      'collision',
      'undecided-lock',
      'tracked-lock',
      'legacy-layout',
      'lock-debris',
    ];
    expect(ids.filter((id) => ofContract.includes(id))).toEqual(ofContract);
  });

  test('are all the modules under checks/, each with a page and a test', () => {
    const modules = readdirSync(join(PROJECT, 'checks'))
      .filter((name) => name.endsWith('.ts') && name !== 'index.ts')
      .map((name) => name.slice(0, -'.ts'.length));
    expect(modules.sort()).toEqual([...ids].sort());
    for (const id of ids)
      expect([
        id,
        existsSync(join(PROJECT, `checks/${id}.md`)),
        existsSync(join(PROJECT, `test/checks/${id}.test.ts`)),
      ]).toEqual([id, true, true]);
    const pages = readdirSync(join(PROJECT, 'checks')).filter((name) => name.endsWith('.md'));
    expect(pages.map((name) => name.slice(0, -'.md'.length)).sort()).toEqual([...ids].sort());
  });

  test.each(builtInChecks.map((check) => [check.id, check] as const))(
    '%s describes itself in one sentence',
    (_, check) => {
      expect(check.title).toMatch(/^[A-Z][^.]+$/);
      expect(check.summary).toMatch(/^.{20,100}\.$/);
    },
  );

  /** Findings as piped output prints them: `warning stale-lock gastown/crew/ada: process 4242 gone`. */
  const shown = new Set(
    towns.flatMap((town) =>
      reportOf(town).findings.map(
        ({ severity, doubt, check, worker, message }) =>
          `${doubt ? 'unknown' : severity} ${check} ${worker ?? '.'}: ${message}`,
      ),
    ),
  );

  test.each(ids)('the page of %s fits on a terminal, and its example is from a golden town', (id) => {
    const page = read(`checks/${id}.md`);
    const lines = page.trimEnd().split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines[0]).toBe(`# ${id}`);
    expect(lines.filter((line) => line.startsWith('## '))).toEqual([
      '## How it is decided',
      '## What --fix does',
      '## What it refuses',
      '## Example',
      '## What to do next',
    ]);
    const [, example = ''] = page.split(/```(?:text)?/);
    const line = example
      .trim()
      .split(/\s*\n\s*/)
      .join(' ');
    expect([...shown]).toContain(line);
  });
});

describe('kinds', () => {
  const kindIds = builtInKinds.map(({ id }) => id);
  const modulesIn = (directory: string, extension: string): readonly string[] =>
    readdirSync(join(PROJECT, directory))
      .filter((name) => name.endsWith(extension) && name !== 'index.ts')
      .map((name) => name.slice(0, -extension.length))
      .sort();

  test('are all the modules under kinds/, each with a page and a test', () => {
    expect(modulesIn('kinds', '.ts')).toEqual([...kindIds].sort());
    expect(modulesIn('kinds', '.md')).toEqual([...kindIds].sort());
    expect(modulesIn('test/kinds', '.test.ts')).toEqual([...kindIds].sort());
  });

  test.each(builtInKinds.map((kind) => [kind.id, kind] as const))(
    '%s describes itself in one sentence, and its page fits on a terminal',
    (id, { title, summary }) => {
      expect(title).toMatch(/^[A-Za-z][^.]+$/);
      expect(summary).toMatch(/^.{20,100}\.$/);
      const lines = read(`kinds/${id}.md`).trimEnd().split('\n');
      expect(lines.filter((line) => line.length > 80)).toEqual([]);
      expect(lines[0]).toBe(`# ${id}`);
      expect(lines.filter((line) => line.startsWith('## '))).toEqual([
        '## Where it is',
        '## Who holds it',
        '## What shows that its holder is dead',
        '## How it is released and restored',
      ]);
    },
  );

  test('are the only sources of names: the walk contains no name of a lock or of a directory of locks', () => {
    const said = builtInKinds.flatMap(({ where }) => {
      if ('homes' in where) return [where.name, ...Object.keys(where.homes)];
      if ('beside' in where) return [...Object.entries(where.beside).flat(2), ...(where.directories ?? [])];
      return 'inGitDir' in where ? Object.values(where.inGitDir).flat() : where.files;
    });
    const names = said.filter((name) => name !== '*');
    const naming = readSources('src/evidence/scan').flatMap(({ path, text }) =>
      names.filter((name) => text.includes(`'${name}'`)).map((name) => `${path}: ${name}`),
    );
    expect(naming).toEqual([]);
  });
});

describe('the fixture towns', () => {
  const JUDGING = ['invalid-lock', 'stale-lock', 'orphaned-lock', 'undecided-lock'];

  test.each(towns)(
    '%s: exactly one check claims each lock that is not held, and no check claims a held one',
    (town) => {
      const examination = examineSnapshot(snapshotOf(town));
      const claims = builtInChecks
        .filter(({ id }) => JUDGING.includes(id))
        .flatMap((check) => check.run(examination).map(({ lock }) => lock))
        // A place that could not be opened has no ID: nobody knows whether there is a lock.
        .filter((lock) => lock !== null);
      const unsettled = examination.verdicts
        .filter(({ state }) => state !== 'held')
        .map(({ lock }) => lock.id);
      expect(claims.sort()).toEqual(unsettled.sort());
    },
  );

  test('contain every state and every check', () => {
    const reports = towns.map(reportOf);
    expect(new Set(reports.flatMap(({ locks }) => locks.map(({ state }) => state))).size).toBe(6);
    expect(new Set(reports.flatMap(({ findings }) => findings.map(({ check }) => check)))).toEqual(
      new Set(ids),
    );
  });

  test('contain every reason and every note', () => {
    const locks = towns.flatMap((town) => reportOf(town).locks);
    const occur = (words: readonly (readonly string[])[]): string[] => [...new Set(words.flat())].sort();
    expect(occur(locks.map(({ reasons }) => reasons))).toEqual([...REASONS].sort());
    expect(occur(locks.map(({ notes }) => notes))).toEqual([...NOTES].sort());
  });

  test('have no finding with an ID that depends on how many others there are', () => {
    const found = towns.flatMap((town) => reportOf(town).findings.map(({ id }) => `${town}: ${id}`));
    expect(found.filter((id) => /#\d+$/.test(id))).toEqual([]);
  });

  test('contain every exit code of a diagnosis', () => {
    expect([...new Set(towns.map((town) => reportOf(town).exitCode))].sort()).toEqual([0, 1, 22]);
  });

  test('have no proposal to release a lock that is neither stale nor invalid', () => {
    for (const town of towns) {
      const examination = examineSnapshot(snapshotOf(town));
      const states = new Map(examination.verdicts.map(({ lock, state }) => [lock.id, state]));
      for (const { fix } of builtInChecks.flatMap((check) => runCheck(check, examination, () => 0).findings))
        if (fix?.action === 'release') expect(['stale', 'invalid']).toContain(states.get(fix.lock));
    }
  });
});

describe('layers', () => {
  /** From the bottom up: a layer may import those before it. `lock` and `repair` are the only ones that write. */
  const RANKS: readonly (readonly string[])[] = [
    ['core', 'version.ts'],
    ['io', 'schema', 'check.ts', 'kind.ts', 'document.ts'],
    ['config.ts', 'plugins', 'checks', 'kinds', 'reporters'],
    ['read-config.ts'],
    ['evidence'],
    ['kinds-of.ts'],
    ['look.ts'],
    ['lock'],
    ['repair'],
    ['exec'],
    ['diagnose.ts', 'preflight.ts'],
    ['heal.ts', 'town-locks.ts', 'places'],
    ['fleet', 'lease'],
    ['preflight-fix.ts'],
    ['index.ts', 'cli'],
  ];
  const layerOf = (path: string): string => {
    const [first = '', second = ''] = path.split('/');
    return first === 'src' ? second : first;
  };
  const rankOf = (path: string): number => RANKS.findIndex((layers) => layers.includes(layerOf(path)));
  const sources = ['src', 'checks', 'kinds'].flatMap((directory) => readSources(directory));

  test('ARCHITECTURE.md lists every folder and no other', () => {
    const map = read('ARCHITECTURE.md').split('## Layers')[1]?.split('### A lock on its way')[0] ?? '';
    const named = new Set(
      [...map.matchAll(/`([\w./-]+)`/g)].map(([, name = '']) => name.replace(/^src\//, '')),
    );
    const folders = new Set(
      sources.map(({ path }) => dirname(path)).filter((folder) => folder !== 'src/schema/compiled'),
    );
    const expected = [...folders]
      .filter((folder) => folder !== 'src')
      .map((folder) => `${folder}/`.replace(/^src\//, ''));
    expect(expected.filter((folder) => !named.has(folder))).toEqual([]);
    // Nor does it list a folder that no longer exists.
    const lines = [...map.matchAll(/^\| `([\w./-]+\/)` \|/gm)].map(([, name = '']) =>
      name.replace(/^src\//, ''),
    );
    expect(lines.filter((folder) => !expected.includes(folder))).toEqual([]);
  });

  test('every file that ARCHITECTURE and CONTRIBUTING name exists', () => {
    const files = ['src', 'checks', 'kinds', 'test', 'scripts', 'schema', 'docs', 'bench'].flatMap(
      (directory) =>
        readdirSync(join(PROJECT, directory), { recursive: true, encoding: 'utf8' }).map(
          (name) => `/${directory}/${name}`,
        ),
    );
    const named = ['ARCHITECTURE.md', 'CONTRIBUTING.md'].flatMap((page) =>
      [...read(page).matchAll(/`([\w./-]+\.(?:ts|mjs|json|md|sh))`/g)].map(([, path = '']) => path),
    );
    // Modules that are yet to be written, what these import, and files of a town.
    const missing = named
      .filter((path) => !/\bmy-|^\.\./.test(path))
      .filter((path) => !files.some((file) => file.endsWith(`/${path}`)) && !existsSync(join(PROJECT, path)));
    expect(missing).toEqual([]);
  });

  test('no folder has more than 14 files, except the two that grow by a module for each entry', () => {
    const sizes = new Map<string, number>();
    for (const { path } of sources) sizes.set(dirname(path), (sizes.get(dirname(path)) ?? 0) + 1);
    const lists = ['checks', 'kinds'];
    expect([...sizes].filter(([folder, size]) => size > 14 && !lists.includes(folder))).toEqual([]);
  });

  test('only its list imports a check, a kind, a late format, a registry or a command, so that one more costs one line', () => {
    const importersOf = (module: string): readonly string[] =>
      sources
        .filter(({ path, imports }) => imports.some((specifier) => importedFile(path, specifier) === module))
        .map(({ path }) => path);
    const importedBy = (list: string, folder: string): readonly string[] =>
      readSources(dirname(list))
        .filter(({ path }) => path === list)
        .flatMap(({ imports }) => imports.map((specifier) => importedFile(list, specifier) ?? ''))
        .filter((module) => module.startsWith(folder));
    const registries = readSources('src/evidence/registries').filter(({ text }) =>
      / Registry = \{/.test(text),
    );
    const lists: readonly (readonly [list: string, modules: readonly string[]])[] = [
      ['checks/index.ts', builtInChecks.map(({ id }) => `checks/${id}.ts`)],
      // The lock library, preflight and exec load the agent's kind without the others.
      ['kinds/index.ts', builtInKinds.filter(({ id }) => id !== 'agent').map(({ id }) => `kinds/${id}.ts`)],
      ['src/cli/formats.ts', importedBy('src/cli/formats.ts', 'src/reporters/')],
      ['src/evidence/registries/registries.ts', registries.map(({ path }) => path)],
      // `undo --list` is the command log.
      [
        'src/cli/main.ts',
        importedBy('src/cli/main.ts', 'src/cli/commands/').filter((module) => !module.endsWith('/log.ts')),
      ],
    ];
    for (const [list, modules] of lists) {
      expect([list, modules]).not.toEqual([list, []]);
      for (const module of modules) expect([module, importersOf(module)]).toEqual([module, [list]]);
    }
  });

  test('README or a page under docs/ names each command', () => {
    const pages = ['README.md', ...readdirSync(join(PROJECT, 'docs')).map((name) => `docs/${name}`)];
    const text = pages
      .filter((path) => path.endsWith('.md'))
      .map(read)
      .join('\n');
    expect(COMMANDS.filter((name) => name !== 'doctor' && !text.includes(`doctor ${name}`))).toEqual([]);
  });

  test('imports point down only', () => {
    const upward = sources.flatMap(({ path, imports }) =>
      imports.flatMap((specifier) => {
        const target = importedFile(path, specifier);
        if (target === null || layerOf(target) === layerOf(path)) return [];
        return rankOf(path) > rankOf(target) && rankOf(target) >= 0 ? [] : [`${path} -> ${target}`];
      }),
    );
    expect(upward).toEqual([]);
  });

  test('a check imports only what authors of checks import', () => {
    for (const { path, imports } of readSources('checks'))
      if (path !== 'checks/index.ts') expect([path, imports]).toEqual([path, ['../src/check.ts']]);
  });

  test('a kind imports only what authors of kinds import', () => {
    for (const { path, imports } of readSources('kinds'))
      if (path !== 'kinds/index.ts') expect([path, imports]).toEqual([path, ['../src/kind.ts']]);
  });

  test('reporters and the core import no module of Node', () => {
    for (const { path, imports } of sources)
      if (['core', 'reporters', 'check.ts', 'checks', 'kind.ts', 'kinds'].includes(layerOf(path)))
        expect([path, imports.filter((specifier) => specifier.startsWith('node:'))]).toEqual([path, []]);
  });

  test.each([
    ['yargs', ['src/cli/arguments/parse-with-yargs.ts']],
    ['listr2', ['src/cli/terminal/live-view.ts']],
    ['execa', ['src/io/programs/command.ts']],
    ['picocolors', ['src/reporters/screen/style.ts']],
    ['ink', ['src/cli/top/screen.ts']],
    ['react', ['src/cli/top/screen.ts']],
  ])('%s has one home', (name, home) => {
    const users = sources.filter(({ imports }) =>
      imports.some((specifier) => specifier === name || specifier.startsWith(`${name}/`)),
    );
    expect(users.map(({ path }) => path)).toEqual(home);
  });

  /** All sources except the validators, which the build generates. */
  const written = sources.filter(({ path }) => !path.startsWith('src/schema/compiled/'));

  test('every file starts with a head comment, and its imports follow without a blank line', () => {
    const head = /^\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n(?!\n+import )/;
    expect(written.filter(({ text }) => !head.test(text)).map(({ path }) => path)).toEqual([]);
  });

  test('all functions except generators are arrow functions', () => {
    const programs = ['bench', 'scripts', 'test'].flatMap((directory) => readSources(directory));
    const others = [...written, ...programs].flatMap(({ path, text }) =>
      functionsIn(text).map((name) => `${path}: ${name}`),
    );
    expect(others).toEqual([]);
  });

  test('constants are defined above their first use, even if that is inside a function', () => {
    const late = written.flatMap(({ path, text }) => lateConstantsIn(text).map((name) => `${path}: ${name}`));
    expect(late).toEqual([]);
  });

  test('both rules detect violations in any position', () => {
    expect(
      functionsIn('const f = () => function g() {}; class A { b = function () {} } function* ok() {}'),
    ).toEqual(['g', '(nameless)']);
    expect(
      lateConstantsIn('export const f = (a = LIMIT): Row => ({ LIMIT: a.LIMIT }); const LIMIT = 3;'),
    ).toEqual(['LIMIT']);
    expect(
      lateConstantsIn('const f = () => g(); const g = () => 1; type A = { b: 1 }; const b = 1;'),
    ).toEqual([]);
  });

  test('no name is exported by two files', () => {
    const homes = new Map<string, string[]>();
    for (const { path, text } of written)
      for (const name of exportsIn(text)) homes.set(name, [...new Set([...(homes.get(name) ?? []), path])]);
    // Every command exports `run`.
    homes.delete('run');
    expect([...homes].filter(([, paths]) => paths.length > 1)).toEqual([]);
  });

  test('exports are found in every form', () => {
    const forms =
      'const zz = 1; export { zz as one }; export { two }; export { a as three, b } from "./a.ts"; export const four = 1; export type Five = 1; export interface Six {} export class Seven {}';
    expect(exportsIn(forms)).toEqual(['one', 'two', 'three', 'four', 'Five', 'Six', 'Seven']);
  });

  test('only the driver looks and judges; every other composition is named here', () => {
    const importersOf = (name: string, module: string): readonly string[] =>
      written.filter((source) => importsName(source, name, module)).map(({ path }) => path);
    expect(importersOf('gather', 'src/evidence/gather.ts')).toEqual(['src/look.ts']);
    expect(importersOf('look', 'src/look.ts')).toEqual([
      'src/diagnose.ts',
      // On a machine without a doctor: the evidence is judged elsewhere.
      'src/fleet/collector.ts',
      // Under the guard, at locks of a look before.
      'src/repair/second-look.ts',
    ]);
    expect(importersOf('tableFor', 'src/kinds-of.ts')).toEqual([
      'src/diagnose.ts',
      'src/fleet/collector.ts',
      // Before a start, without plug-ins.
      'src/look.ts',
    ]);
    expect(importersOf('examineSnapshot', 'src/core/judge/examine.ts')).toEqual([
      'src/core/askers-own.ts',
      'src/diagnose.ts',
      'src/fleet/examine-fleet.ts',
      'src/index.ts',
      // For the lock library.
      'src/look.ts',
    ]);
    expect(importersOf('judgeSnapshot', 'src/core/judge/examine.ts')).toEqual([
      'src/places/removal.ts',
      'src/repair/second-look.ts',
    ]);
    expect(importersOf('planRepair', 'src/core/plan.ts')).toEqual([
      // What several machines have seen.
      'src/fleet/heal-fleet.ts',
      'src/heal.ts',
      // The library's `cleanStaleLocks`.
      'src/town-locks.ts',
    ]);
    expect(importersOf('carryOut', 'src/repair/carry-out.ts')).toEqual([
      'src/fleet/heal-fleet.ts',
      'src/heal.ts',
      'src/repair/put-back.ts',
      'src/town-locks.ts',
    ]);
    expect(importersOf('lookToStart', 'src/look.ts')).toEqual([
      // Again under its lock.
      'src/exec/run-under-lock.ts',
      'src/preflight.ts',
    ]);
    expect(importersOf('answerPreflight', 'src/core/preflight/with-locks.ts')).toEqual([
      'src/exec/run-under-lock.ts',
      'src/places/preflight-in.ts',
      'src/preflight.ts',
    ]);
  });

  test.each([
    "import { examineSnapshot } from '../../look.ts';",
    "import { type A, examineSnapshot as judge } from '../../look.ts';",
    "import * as all from '../../look.ts';",
    "export { examineSnapshot } from '../../look.ts';",
    "export * from '../../look.ts';",
    "const { examineSnapshot: judge } = await import('../../look.ts');",
    "(await import('../../look.ts')).examineSnapshot(it);",
    "const all = await import('../../look.ts');",
  ])('an import in any form is found: %s', (text) => {
    const path = 'src/cli/commands/who.ts';
    expect(importsName({ path, text }, 'examineSnapshot', 'src/look.ts')).toBe(true);
    expect(
      importsName({ path, text: text.replace('look.ts', 'other.ts') }, 'examineSnapshot', 'src/look.ts'),
    ).toBe(false);
  });

  test('evidence imports no judgements, nor the code that judges and reports, not even through others', () => {
    const judging = /^src\/core\/(?:judge\/|report\/|types\/(?:judgement|check|report)\.ts$)/;
    const reached = new Set(sources.filter(({ path }) => layerOf(path) === 'evidence'));
    for (const { path, imports } of reached)
      for (const one of imports) {
        const source = sources.find((other) => other.path === importedFile(path, one));
        if (source !== undefined) reached.add(source);
      }
    expect([...reached].map(({ path }) => path).filter((path) => judging.test(path))).toEqual([]);
  });

  test('imports have no cycles, not even of types', () => {
    const files = new Map(sources.map(({ path, imports }) => [path, imports]));
    const done = new Set<string>();
    const loopFrom = (path: string, way: readonly string[]): readonly string[] | null => {
      if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
      if (done.has(path)) return null;
      done.add(path);
      for (const specifier of files.get(path) ?? []) {
        const target = importedFile(path, specifier);
        const loop = target === null ? null : loopFrom(target, [...way, path]);
        if (loop !== null) return loop;
      }
      return null;
    };
    expect(sources.map(({ path }) => loopFrom(path, [])).filter((loop) => loop !== null)).toEqual([]);
  });

  test('no other package is imported', () => {
    const packages = sources.flatMap(({ imports }) => imports.filter((one) => !/^(\.|node:)/.test(one)));
    expect([...new Set(packages)].sort()).toEqual(['execa', 'ink', 'listr2', 'picocolors', 'react', 'yargs']);
  });

  test('only main.ts sets the exit code and ends the process', () => {
    const code = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    for (const deed of [/process\.exitCode\s*=/, /process\.exit\(/])
      expect(sources.filter(({ text }) => deed.test(code(text))).map(({ path }) => path)).toEqual([
        'src/cli/main.ts',
      ]);
  });
});

describe('the core and the checks', () => {
  /** A context with only the language: no process, console or timers, and a clock and random numbers that throw. */
  const bareContext = () => {
    const context = createContext({});
    new Script(`
      const refuse = (name) => () => { throw new Error(name + ' was used'); };
      delete globalThis.console;
      Date.now = refuse('Date.now');
      Math.random = refuse('Math.random');
      globalThis.Date = new Proxy(Date, {
        construct: (target, words) => words.length === 0 ? refuse('new Date()')() : new target(...words),
      });
    `).runInContext(context);
    const modules = new Map<string, SourceTextModule>();
    const load = (path: string): SourceTextModule => {
      const known = modules.get(path);
      if (known !== undefined) return known;
      const { code } = transformSync(read(path), {
        filename: path,
        jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
        module: { type: 'es6' },
      });
      const module = new SourceTextModule(code, { context, identifier: path });
      modules.set(path, module);
      return module;
    };
    const link = (specifier: string, from: SourceTextModule): SourceTextModule => {
      const target = importedFile(from.identifier, specifier);
      if (target === null) throw new Error(`${from.identifier} imports ${specifier}`);
      return load(target);
    };
    return { load, link, context };
  };

  test('replay every town without a process, a console, a clock and random numbers', async () => {
    const { link, context } = bareContext();
    const main = new SourceTextModule(
      `import { builtInChecks } from '../../checks/index.ts';
       import { examineSnapshot } from './judge/examine.ts';
       import { buildReport } from './report/report.ts';
       import { runCheck } from './run-checks.ts';
       import { answerPreflight } from './preflight/with-locks.ts';
       import { planRepair } from './plan.ts';
       export const replay = (text) => {
         const examination = examineSnapshot(JSON.parse(text));
         const outcomes = builtInChecks.map((check) => runCheck(check, examination, () => 0));
         planRepair({ examination, outcomes, workers: null, force: false });
         answerPreflight({ ...examination.snapshot, asked: examination.snapshot.town.workers });
         return JSON.stringify(buildReport({
           examination, outcomes, command: 'doctor', tool: { name: 'lock-doctor', version: '0.0.0' }, durationMs: 0, failOn: 'warning', workers: null,
         }), null, 2) + '\\n';
       };`,
      { context, identifier: 'src/core/replay.ts' },
    );
    await main.link((specifier, from) => link(specifier, from as SourceTextModule));
    await main.evaluate();
    const { replay } = main.namespace as { readonly replay: (text: string) => string };
    for (const town of towns)
      expect([town, replay(read(`fixtures/towns/${town}/snapshot.json`))]).toEqual([
        town,
        read(`fixtures/towns/${town}/report.json`),
      ]);
  });

  test('would fail if they used any of these', async () => {
    const { context } = bareContext();
    for (const access of [
      'process.pid',
      'console.log(1)',
      'Date.now()',
      'new Date()',
      'Math.random()',
      'setTimeout(() => {}, 0)',
    ])
      expect(() => new Script(access).runInContext(context)).toThrow();
  });
});
