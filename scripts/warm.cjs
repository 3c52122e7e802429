// Runs the built program once (its arguments are ours) and keeps the code that V8 compiled meanwhile beside each part.
// Only the build runs this.
const { writeFileSync } = require('node:fs');
const { join } = require('node:path');

const [, , bin, ...words] = process.argv;
process.argv = [process.argv[0], join(bin, 'doctor.js'), ...words];
const { compiled, load } = require(process.argv[1]);
// Without a tmux server no run comes to it.
load('execa.js').execaSync(process.execPath, ['--version'], {
  encoding: 'buffer',
  stdin: 'ignore',
  reject: false,
});
process.once('exit', () => {
  for (const [name, { script }] of compiled)
    writeFileSync(join(bin, `${name}.cache`), script.createCachedData());
  process.exitCode = 0;
});
