// What `doctor` starts: the program beside it, with the code that Node compiled for it before.
const { realpathSync } = require('node:fs');
const { dirname } = require('node:path');
const { loaderOf } = require('./kept-code.cjs');

// Under --preserve-symlinks-main `__dirname` is the directory of the link that was started.
const home = dirname(realpathSync.native(__filename));
loaderOf(home)('./cli-main.js');
