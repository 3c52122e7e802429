/** Help texts: examples are not broken across lines, and exit codes describe only the command in question. */
import { expect, test } from '@jest/globals';
import { COMMAND_TABLE, exitCodesOf } from '../../../src/cli/arguments/options.ts';
import { parseWithYargs } from '../../../src/cli/arguments/parse-with-yargs.ts';

const helpOf = async (name: string, width: number): Promise<readonly string[]> => {
  const parsed = await parseWithYargs(name === 'doctor' ? ['--help'] : [name, '--help'], { cwd: '/', width });
  if (parsed.kind !== 'help') throw new Error(`no help for ${name}`);
  return parsed.text.split('\n');
};

test.each([80, 40])('prints every example on a line of its own, unbroken, at %d columns', async (width) => {
  for (const { name, examples } of COMMAND_TABLE) {
    const lines = await helpOf(name, width);
    for (const [example] of examples)
      expect(lines.some((line) => line === `  ${example}` || line.startsWith(`  ${example}  `))).toBe(true);
  }
});

test('describes the exit codes of each command in terms of that command', async () => {
  const codes = (name: Parameters<typeof exitCodesOf>[0]) => Object.fromEntries(exitCodesOf(name));
  for (const { name } of COMMAND_TABLE)
    expect(Object.values(codes(name)).join('\n')).not.toMatch(/^preflight|; preflight|from preflight/m);
  expect(codes('machines')).toMatchObject({ 0: 'all of them answer', 22: expect.any(String) });
  expect(codes('undo')).toMatchObject({
    1: 'not all of it could be restored',
    22: 'not everything could be checked',
  });
  expect(codes('exec')).toMatchObject({ 22: expect.stringMatching(/; do not start$/) });
  expect(codes('preflight')).toMatchObject({
    0: expect.stringMatching(/^free/),
    20: expect.stringMatching(/^held/),
  });
  expect((await helpOf('checks', 80)).join('\n')).toMatch(/^ {2}0 +done\n {2}2 /m);
});

test('explains in the main help what a town and a worker are', async () => {
  const text = (await helpOf('doctor', 80)).join(' ');
  expect(text).toMatch(/A town is the directory that is checked/);
  expect(text).toMatch(/A worker is a directory in which one agent works/);
});

test.each([80, 40])('keeps exit codes and what they mean in two columns, at %d columns', async (width) => {
  for (const { name } of COMMAND_TABLE) {
    const codes = (await helpOf(name, width)).join('\n').split('Exit codes:\n')[1] ?? '';
    const ends = codes
      .trimEnd()
      .split('\n')
      .map((line) => /^ {2}(?:[\d, ]*\d)? {2,}(?=\S)/.exec(line)?.[0].length);
    expect([name, [...new Set(ends)]]).toEqual([name, [17]]);
  }
});
