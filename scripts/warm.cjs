// Runs the built program in each way that has to start fast, one after the other, and keeps the code that V8 compiled
// meanwhile beside each part. Only the build runs this: `node scripts/warm.cjs BIN '[["--json","/town"], …]'`.
const { writeFileSync } = require('node:fs');
const { join } = require('node:path');
const v8 = require('node:v8');

const [, , bin, lines] = process.argv;
// The code is kept with the flags that it was made under, and every start is one without.
v8.setFlagsFromString = () => {};
const begin = (words) => {
  process.argv = [process.argv[0], join(bin, 'doctor.js'), ...words];
};
const [first, ...more] = JSON.parse(lines);
begin(first);
const { compiled, load } = require(process.argv[1]);

// A run is over when nothing is left to be done.
process.on('beforeExit', () => {
  const words = more.shift();
  if (words !== undefined) {
    begin(words);
    compiled.get('program.js').run();
    // Keeps the process alive until the new run has begun to wait for something.
    setImmediate(() => {});
    return;
  }
  // Nothing of it runs away from a terminal.
  load('listr2.js');
  for (const [name, { script }] of compiled)
    writeFileSync(join(bin, `${name}.cache`), script.createCachedData());
  process.exitCode = 0;
});
