// The start of `doctor`: loads the program beside it, with compiled code from its cache.
const { realpathSync } = require('node:fs');
const { dirname } = require('node:path');
const { loaderOf } = require('./kept-code.cjs');

// Under --preserve-symlinks-main `__dirname` is the directory of the symlink that was started.
const home = dirname(realpathSync.native(__filename));
loaderOf(home)('./cli-main.js');
