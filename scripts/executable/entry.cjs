// The start of the executable: corrects the functions in which Bun differs from Node, and loads the program.
const { readFileSync } = require('node:fs');
const os = require('node:os');

/** Bun returns '' if the directory was removed, for which Node throws. */
const { cwd } = process;
process.cwd = () => {
  const directory = cwd.call(process);
  if (directory !== '') return directory;
  throw Object.assign(new Error('ENOENT: no such file or directory, uv_cwd'), {
    code: 'ENOENT',
    syscall: 'uv_cwd',
  });
};

/** Bun trusts $USER and returns `unknown` without it, but the journal must record the real user. */
const { userInfo } = os;
os.userInfo = (options) => ({ ...userInfo(options), username: nameOf(process.geteuid()) });

/** Only from /etc/passwd, not from other sources of accounts. Throws if there is no such user, as Node does. */
const nameOf = (uid) => {
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name, , number] = line.split(':');
    if (number === String(uid)) return name;
  }
  throw new Error(`no user ${uid} in /etc/passwd`);
};

require('./cli-main.js');
