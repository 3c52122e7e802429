// Runs programs in parallel, and reports the end of each.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Runs one to its end and captures its output; `code` is null if a signal ended it. */
export const run = async ([file, ...args], env = process.env) => {
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  const [code] = await once(child, 'close');
  return { code, output };
};

/** Runs all steps in Node, given as arguments by name, and returns whether all succeeded. */
export const runSteps = async (steps) => {
  const results = await Promise.all(
    Object.entries(steps).map(async ([name, args]) => {
      const started = Date.now();
      const { code, output } = await run([process.execPath, ...args]);
      if (code === 0) console.log(`ok    ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
      else console.error(`${output.trimEnd()}\nFAILED ${name}`);
      return code === 0;
    }),
  );
  return results.every(Boolean);
};
