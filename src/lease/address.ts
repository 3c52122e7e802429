/** Reads the address of a lease server: `etcd://host1:2379,host2:2379/town`, or `etcds://` for TLS, and credentials. Pure. */
import { Failure } from '../core/failure.ts';
import type { Environment } from '../io/programs/find-program.ts';

/** A cluster, the prefix of the town's keys in it, and credentials. */
export interface LeaseAddress {
  /** `http://host1:2379` … */
  readonly endpoints: readonly string[];
  /** `town`: every key begins with it and a slash. */
  readonly prefix: string;
  readonly user: string | null;
  readonly password: string | null;
  /** Files in PEM form; null for what the system trusts, and for no certificate of ours. */
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
}

const ADDRESS = /^(etcds?):\/\/(?:([^@/]*)@)?([^/]+)\/(.+?)\/*$/;
const ENDPOINT = /^(?:[A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?$/;

/** A part of the town's name: it stands in keys, in commands and on screens. */
const NAME = /^[\p{L}\p{N}._-]+$/u;

/** Refuses `a//b`, `town?x=1` and the like: one machine would mean other keys than the next. Throws `E_USAGE`. */
const checkTown = (town: string): void => {
  if (town.split('/').every((part) => NAME.test(part) && part !== '.' && part !== '..')) return;
  throw new Failure(
    'E_USAGE',
    // The text is not repeated: it may be the rest of a password that has a slash.
    'the text after the slash in the address of a lease cannot be the name of a town',
    'Use letters, digits, ".", "_" and "-", in parts separated by "/": etcd://localhost:2379/team/gt',
  );
};

/**
 * Reads an address. Secrets come from the environment (LOCK_DOCTOR_ETCD_PASSWORD, or a password in LOCK_DOCTOR_LEASE), because
 * other users can read a command line. Throws `E_USAGE`.
 *
 * @param isTyped true where it was on the command line
 */
export const readAddress = (text: string, isTyped: boolean, env: Environment): LeaseAddress => {
  const [, scheme = '', login = '', hosts = '', prefix = ''] = ADDRESS.exec(text) ?? [];
  if (scheme === '')
    throw new Failure(
      'E_USAGE',
      'a lease needs an address of the form etcd://HOST:PORT,HOST:PORT/TOWN',
      'TOWN is the same on all machines: etcd://localhost:2379/gt',
    );
  const names = hosts.split(',');
  const wrong = names.find((name) => !ENDPOINT.test(name) || !URL.canParse(`http://${name}`));
  if (wrong !== undefined) throw new Failure('E_USAGE', `"${wrong}" is not a host and port of etcd`);
  checkTown(prefix);
  const [user = '', ...more] = login.split(':');
  if (more.length > 0 && isTyped)
    throw new Failure(
      'E_USAGE',
      'a password on the command line can be read by everybody',
      'Put it into LOCK_DOCTOR_ETCD_PASSWORD.',
    );
  const read = (name: string): string | null => env[`LOCK_DOCTOR_ETCD_${name}`] || null;
  return {
    endpoints: names.map(
      (name) => `${scheme === 'etcds' ? 'https' : 'http'}://${name}${/:\d+$/.test(name) ? '' : ':2379'}`,
    ),
    prefix,
    user: user === '' ? read('USER') : decoded(user),
    password: more.length > 0 ? decoded(more.join(':')) : read('PASSWORD'),
    caFile: read('CA'),
    certFile: read('CERT'),
    keyFile: read('KEY'),
  };
};

/** A login without its percent signs; what it says is not repeated, for it may be a password. Throws `E_USAGE`. */
const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new Failure('E_USAGE', 'a percent sign in the login of a lease must be written as %25', null, {
      cause,
    });
  }
};
