// Installs the package as npm would publish it, and runs it with other releases of Node than the one that built it: twice each,
// because the first start caches code for the second. A release that cannot be installed here is skipped with a message.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeSmallTown } from '../small-town.mjs';
import { packInto } from './pack.mjs';
import { inPrivateView } from './private-view.mjs';

// Another tmux server that does not answer would put every worker in doubt.
if (process.argv[2] !== 'in-view') {
  const view = inPrivateView([fileURLToPath(import.meta.url), 'in-view']);
  const { status } = spawnSync(view.file, view.args, { stdio: 'inherit' });
  view.remove();
  process.exit(status ?? 1);
}

/** The oldest of each line that `engines` in package.json allows, and the newest ones. */
const RELEASES = ['20.19.0', '22.3.0', '22', '24', '26'];

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'lock-doctor-nodes-')));

const install = () => {
  const { path } = packInto(folder);
  const prefix = join(folder, 'prefix');
  npm(['install', '--global', '--prefix', prefix, path]);
  return join(prefix, 'bin/doctor');
};

/** The path of that release of Node, or null if it cannot be installed on this machine. */
const fetchNode = (release) => {
  const prefix = join(folder, `node-${release}`);
  const name = `node-${process.platform}-${process.arch}`;
  mkdirSync(prefix);
  try {
    npm(['install', '--no-save', '--prefix', prefix, `${name}@${release}`]);
  } catch {
    console.log(`skip  Node ${release}: ${name}@${release} cannot be installed here`);
    return null;
  }
  return join(prefix, 'node_modules', name, 'bin/node');
};

const npm = (args) => {
  execFileSync(
    'npm',
    [...args, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--fetch-timeout=20000'],
    {
      cwd: folder,
      stdio: 'ignore',
      timeout: 120_000,
    },
  );
};

/** A user's own check, with nothing installed beside it. */
const plugin = () => {
  const file = join(folder, 'any.mjs');
  const check = "{ id: 'acme/any', title: 'Any', run: () => [] }";
  writeFileSync(
    file,
    `import { defineCheck } from 'lock-doctor/check'; export default defineCheck(${check});`,
  );
  return file;
};

/** So many locks that the program sets V8 flags, which differ between releases. */
const makeLargeTown = (town) => {
  makeSmallTown(town);
  for (let number = 0; number < 300; number += 1) {
    const directory = join(town, `rig/polecats/p${number}/.runtime`);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'agent.lock'), `no record ${number}`);
  }
  return town;
};

/** Runs each command that must work everywhere. Throws if one has another outcome, or prints a message. */
const runWith = (node, start, program, town, large) => {
  const run = (args, statuses, said) => {
    const env = { PATH: process.env.PATH, TMUX_TMPDIR: folder };
    const ended = spawnSync(node, [program, ...args], { cwd: town, env, encoding: 'utf8', timeout: 60_000 });
    if (statuses.includes(ended.status) && ended.stderr === '' && said.test(ended.stdout)) return;
    const { signal, stdout, stderr } = ended;
    throw new Error(
      `${node} ${program} ${args.join(' ')}: ${JSON.stringify({ status: ended.status, signal, stdout, stderr })}`,
    );
  };
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
  run(['--version'], [0], /^\d+\.\d+\.\d+\n$/);
  run(['--help'], [0], /^doctor/);
  run(['checks', '--json'], [0], /"stale-lock"/);
  // Its import of our package is resolved by whatever this release of Node has for that.
  run(['checks', '--plugin', plugin()], [0], /^acme\/any +Any$/m);
  // In a container a dead PID may belong to a process outside.
  run(['--json'], [1, 22], /"state":"(stale|unknown)"/);
  run(['--json', '--town', large], [1, 22], /"state":"invalid"/);
  run(['preflight', 'rig/crew/new'], [0], /rig\/crew\/new/);
  run(['preflight', 'rig/crew/ada'], [21, 22], /rig\/crew\/ada/);
  run(['exec', 'rig/crew/new', '--', 'sh', '-c', 'echo done; exit 7'], [7], /^done\n$/);
  console.log(`ok    the installed package with Node ${version}, ${start} start`);
};

try {
  const program = install();
  const town = makeSmallTown(join(folder, 'town'));
  const large = makeLargeTown(join(folder, 'large'));
  const others = RELEASES.flatMap((release) => fetchNode(release) ?? []);
  // The first one again at the end: it must not use what the others have cached.
  for (const node of [process.execPath, ...others, process.execPath])
    for (const start of ['first', 'second']) runWith(node, start, program, town, large);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
