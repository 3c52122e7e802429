/** Help texts: what is to be pasted stands whole on its line, and the exit codes speak of this command alone. */
import { expect, test } from '@jest/globals';
import { COMMAND_TABLE, exitCodesOf } from '../../../src/cli/arguments/options.ts';
import { parseWithYargs } from '../../../src/cli/arguments/parse-with-yargs.ts';

const helpOf = async (name: string, width: number): Promise<readonly string[]> => {
  const parsed = await parseWithYargs(name === 'doctor' ? ['--help'] : [name, '--help'], { cwd: '/', width });
  if (parsed.kind !== 'help') throw new Error(`no help for ${name}`);
  return parsed.text.split('\n');
};

test.each([80, 40])('at %d columns no example is broken, and none is left out', async (width) => {
  for (const { name, examples } of COMMAND_TABLE) {
    const lines = await helpOf(name, width);
    for (const [example] of examples)
      expect(lines.some((line) => line === `  ${example}` || line.startsWith(`  ${example}  `))).toBe(true);
  }
});

test('the codes of a command are told in words about that command', async () => {
  const told = (name: Parameters<typeof exitCodesOf>[0]) => Object.fromEntries(exitCodesOf(name));
  for (const { name } of COMMAND_TABLE)
    expect(Object.values(told(name)).join('\n')).not.toMatch(/^preflight|; preflight|from preflight/m);
  expect(told('machines')).toMatchObject({ 0: 'all of them answer', 22: expect.any(String) });
  expect(told('undo')).toMatchObject({ 1: 'not all of it could be restored', 22: expect.any(String) });
  expect(told('preflight')).toMatchObject({
    0: expect.stringMatching(/^free/),
    20: expect.stringMatching(/^held/),
  });
  expect((await helpOf('checks', 80)).join('\n')).toContain('  0        done\n  2 ');
});

test('the first help says what a town and a worker are', async () => {
  const text = (await helpOf('doctor', 80)).join(' ');
  expect(text).toMatch(/A town is the directory that is checked/);
  expect(text).toMatch(/A worker is a directory in which one agent works/);
});
