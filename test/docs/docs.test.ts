/**
 * README and docs are true: every console block is run in the town that it describes, and its output is compared.
 * `UPDATE_DOCS=1 npm run jest -- test/docs` writes the current output into the pages.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import { bareEnvironment, doctorInPane } from '../cli/run-cli.ts';
import { cleanUp, hasTmux } from '../support/index.ts';
import { makeStoryTown, makeStoryWorktrees, type StoryTown } from '../support/story-town.ts';
import { shownUser } from '../support/user-name.ts';
import { type Block, blocksOf, type Step, stepsOf, textOf } from './console-blocks.ts';

afterEach(cleanUp);

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGES = [
  'README.md',
  ...readdirSync(`${ROOT}docs`)
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const updating = process.env.UPDATE_DOCS === '1';
const whenTmux = hasTmux ? test : test.skip;

/** The path of the town that readers see. */
const TOWN = '/srv/gt';
/** The same for the repository with worktrees (`console worktrees`). */
const REPOSITORY = '/srv/app';

/** Replaces what differs from run to run, including line breaks: a PID may have one digit more. */
const timeless = (text: string): string =>
  text
    .replace(/\n {2,}/g, ' ')
    .replace(/\b\d+ tmux servers? with \d+ sessions?/g, 'N tmux servers')
    .replace(/not on (the tmux server|any of \d+ tmux servers)/g, 'not on any tmux server')
    .replace(/\d{8}T\d{6}Z-[0-9a-f]{6}/g, 'RUN')
    .replace(/(pid|PID|process|-fp) \d+/g, '$1 N')
    .replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z /gm, 'TIME ')
    .replace(/process \(\d+\)/g, 'process (N)')
    .replace(/\b\d+(\.\d+)? (ms|s)\b/g, 'N s')
    .replace(/"(startedAt|acquiredAt)": "[^"]*"/g, '"$1": "…"')
    .replace(/"(durationMs|pid|ageSeconds)": [\d.]+/g, '"$1": N')
    .replace(/ {2,}/g, ' ');

const execute = async (
  step: Step,
  block: Block,
  shownRoot: string,
  { town, tmux }: StoryTown,
): Promise<string> => {
  if (block.info === 'console screen') {
    const [, ...args] = step.command.split(' ');
    const run = await doctorInPane(
      [...args, '--no-color'],
      { columns: 80, rows: 50 },
      { cwd: town.root, env: { TMUX_TMPDIR: tmux.tmuxTmpdir } },
    );
    const screen = (await run.ends()).screen.replaceAll(town.root, shownRoot);
    // The line about the town was wrapped for a path longer than the one that is shown.
    return screen.replace(/^\/srv\/gt: [\s\S]*?(?=\n\n)/, (line) => line.replace(/\n\s*/g, ' '));
  }
  const env = bareEnvironment({
    TMUX_TMPDIR: tmux.tmuxTmpdir,
    PATH: `${town.path('.bin')}:${process.env.PATH}`,
  });
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', step.command], {
    cwd: town.root,
    env,
    encoding: 'utf8',
  });
  return `${stdout}${stderr}`
    .trimEnd()
    .replaceAll(town.root, shownRoot)
    .replaceAll(`by ${shownUser} on ${hostname()}`, 'by ada on build1')
    .replaceAll(` on ${hostname()};`, ' on build1;');
};

describe.each(PAGES)('%s (skipped without tmux)', (page) => {
  const markdown = readFileSync(ROOT + page, 'utf8');
  const blocks = blocksOf(markdown);
  if (!blocks.some(({ info }) => info.startsWith('console'))) return;

  whenTmux('shows the output of the program', async () => {
    const story = await makeStoryTown();
    const trees = blocks.some(({ info }) => info === 'console worktrees')
      ? await makeStoryWorktrees()
      : story;
    let updated = markdown;
    for (const block of blocks) {
      if (!block.info.startsWith('console')) {
        if (block.file !== null) story.town.write(block.file, `${block.text}\n`);
        continue;
      }
      const steps: Step[] = [];
      for (const step of stepsOf(block)) {
        const isTrees = block.info === 'console worktrees';
        const output = await execute(step, block, isTrees ? REPOSITORY : TOWN, isTrees ? trees : story);
        const same = timeless(output) === timeless(step.output);
        steps.push(same ? step : { ...step, output });
        if (!updating)
          expect(`$ ${step.command}\n${timeless(output)}`).toBe(
            `$ ${step.command}\n${timeless(step.output)}`,
          );
      }
      updated = updated.replace(
        `\`\`\`${block.info}\n${block.text}\n`,
        () => `\`\`\`${block.info}\n${textOf(steps)}\n`,
      );
    }
    if (updating) writeFileSync(ROOT + page, updated);
  });
});
