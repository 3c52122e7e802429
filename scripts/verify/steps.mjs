// Programs that run beside each other, each told of when it ends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Runs one to its end with its output kept; `code` is null where a signal ended it. */
export const run = async ([file, ...words], env = process.env) => {
  const child = spawn(file, words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  const [code] = await once(child, 'close');
  return { code, output };
};

/** Runs all in Node, given as words by name, and answers whether all ended well. */
export const runSteps = async (steps) => {
  const results = await Promise.all(
    Object.entries(steps).map(async ([name, words]) => {
      const started = Date.now();
      const { code, output } = await run([process.execPath, ...words]);
      if (code === 0) console.log(`ok    ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
      else console.error(`${output.trimEnd()}\nFAILED ${name}`);
      return code === 0;
    }),
  );
  return results.every(Boolean);
};
