/**
 * A FUSE file system of empty directories, `sub` and `index.lock`, mounted at its argument. It says `ready`, and says `silent` and goes silent for ever
 * when somebody looks for `silence` there: then it still takes questions, so that whoever asks cannot even be killed.
 */
import { Buffer } from 'node:buffer';
import { spawnSync } from 'node:child_process';
import { openSync, readSync, writeSync } from 'node:fs';

/** Operations of linux/fuse.h. */
const [LOOKUP, FORGET, GETATTR, STATFS, INIT, OPENDIR, INTERRUPT, BATCH_FORGET] = [
  1, 2, 3, 17, 26, 27, 36, 42,
];
const NODES = new Map([
  ['sub', 2],
  ['index.lock', 3],
]);
const [ENOENT, ENOSYS] = [2, 38];
const DIRECTORY = 0o40755;

const descriptor = openSync('/dev/fuse', 'r+');
const how = 'fd=3,rootmode=40000,user_id=0,group_id=0,allow_other';
const stdio = ['ignore', 'ignore', 'inherit', descriptor];
const { status } = spawnSync('mount', ['-i', '-t', 'fuse', '-o', how, 'silent', process.argv[2] ?? ''], {
  stdio,
});
if (status !== 0) process.exit(1);

/** @param {bigint} question @param {number} error @param {Buffer} [body] */
const answer = (question, error, body = Buffer.alloc(0)) => {
  const head = Buffer.alloc(16);
  head.writeUInt32LE(16 + body.length, 0);
  head.writeInt32LE(-error, 4);
  head.writeBigUInt64LE(question, 8);
  writeSync(descriptor, Buffer.concat([head, body]));
};

/** @param {number} node */
const attributes = (node) => {
  const bytes = Buffer.alloc(88);
  bytes.writeUInt32LE(node, 0);
  bytes.writeUInt32LE(DIRECTORY, 60);
  bytes.writeUInt32LE(2, 64);
  return bytes;
};

/** @param {number} size @param {(bytes: Buffer) => void} fill */
const filled = (size, fill) => {
  const bytes = Buffer.alloc(size);
  fill(bytes);
  return bytes;
};

process.stdout.write('ready\n');
const bytes = Buffer.alloc(1 << 18);
for (let isSilent = false; ; ) {
  const end = readSync(descriptor, bytes, 0, bytes.length, null);
  const operation = bytes.readUInt32LE(4);
  const question = bytes.readBigUInt64LE(8);
  const name = operation === LOOKUP ? bytes.toString('utf8', 40, end - 1) : '';
  if (name === 'silence') {
    isSilent = true;
    process.stdout.write('silent\n');
  }
  if (isSilent || [FORGET, BATCH_FORGET, INTERRUPT].includes(operation)) continue;
  if (operation === INIT) {
    const settings = filled(64, (body) => {
      body.writeUInt32LE(7, 0);
      body.writeUInt32LE(31, 4);
      body.writeUInt32LE(1 << 16, 20);
    });
    answer(question, 0, settings);
  } else if (operation === LOOKUP) {
    const node = NODES.get(name);
    const entry = filled(40, (body) => body.writeUInt32LE(node ?? 0, 0));
    if (node === undefined) answer(question, ENOENT);
    else answer(question, 0, Buffer.concat([entry, attributes(node)]));
  } else if (operation === GETATTR)
    answer(question, 0, Buffer.concat([Buffer.alloc(16), attributes(bytes.readUInt32LE(16))]));
  else if (operation === STATFS) answer(question, 0, Buffer.alloc(80));
  else if (operation === OPENDIR) answer(question, 0, Buffer.alloc(16));
  else answer(question, ENOSYS);
}
