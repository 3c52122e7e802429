// What the executable starts: puts right what Bun answers otherwise than Node, and loads the program.
const { readFileSync } = require('node:fs');
const os = require('node:os');

/** Bun says '' where the directory was removed, which Node refuses to say. */
const { cwd } = process;
process.cwd = () => {
  const directory = cwd.call(process);
  if (directory !== '') return directory;
  throw Object.assign(new Error('ENOENT: no such file or directory, uv_cwd'), {
    code: 'ENOENT',
    syscall: 'uv_cwd',
  });
};

/** Bun believes $USER, and says `unknown` without it: the journal shall say who it was. */
const { userInfo } = os;
os.userInfo = (options) => ({ ...userInfo(options), username: nameOf(process.geteuid()) });

/** Out of the account file alone: other sources of accounts are not asked. Throws where it has no such user, as Node does. */
const nameOf = (uid) => {
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name, , number] = line.split(':');
    if (number === String(uid)) return name;
  }
  throw new Error(`no user ${uid} in /etc/passwd`);
};

require('./cli-main.js');
