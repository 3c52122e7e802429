/** Puts what a validator of `compiled/` found wrong into one sentence: which field, and what was expected there. */

/** A fault as ajv's compiled code reports it. */
interface Fault {
  /** JSON pointer of the value. */
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** A schema, compiled: true where the value fits, else the first fault is in `errors`. */
export interface Validator {
  (value: unknown): boolean;
  errors?: readonly Fault[] | null;
}

/** What is wrong with a value. */
export interface Problem {
  /** `tmux.servers[0].panes`; empty for the value as a whole. */
  readonly path: string;
  /** `must be a list`, or `is unknown` for an unknown key. */
  readonly what: string;
}

const FAULTLESS: Fault = { instancePath: '', keyword: '', params: {} };

const TYPES: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  integer: 'a whole number',
  null: 'null',
  number: 'a number',
  object: 'an object',
  string: 'text',
};

/** How `config.schema.json` says that a text is not empty. */
const NOT_EMPTY = '\\S';

/** The words for an unknown key. */
export const UNKNOWN = 'is unknown';

/** The first problem of a value, or null where it fits. */
export const problemOf = (validate: Validator, value: unknown): Problem | null => {
  if (validate(value)) return null;
  // An `if` fault comes last and says less than the faults inside it.
  const fault = validate.errors?.find(({ keyword }) => keyword !== 'if') ?? FAULTLESS;
  const { keyword, params } = fault;
  const path = readPointer(fault.instancePath);
  if (keyword === 'required') return { path: join(path, String(params.missingProperty)), what: 'is missing' };
  if (keyword === 'additionalProperties')
    return { path: join(path, String(params.additionalProperty)), what: UNKNOWN };
  return { path, what: `must be ${expected(keyword, params)}` };
};

/** A problem as one fragment: `tmux.servers[0].panes must be a list`. */
export const tellProblem = ({ path, what }: Problem): string => `${path === '' ? 'it' : path} ${what}`;

const expected = (keyword: string, params: Fault['params']): string => {
  switch (keyword) {
    case 'type':
      return [params.type]
        .flat()
        .map((type) => TYPES[String(type)])
        .join(' or ');
    case 'enum':
      return `one of ${(params.allowedValues as readonly unknown[]).join(', ')}`;
    case 'const':
      return JSON.stringify(params.allowedValue);
    case 'minimum':
      return `at least ${params.limit}`;
    case 'maximum':
      return `at most ${params.limit}`;
    case 'minItems':
      return 'a list that is not empty';
    case 'pattern':
      return params.pattern === NOT_EMPTY ? 'text that is not empty' : `text of the form ${params.pattern}`;
    case 'discriminator':
      return `an object whose "${params.tag}" is known`;
    default:
      return 'something else';
  }
};

/** `/tmux/servers/0/panes` as `tmux.servers[0].panes`. */
const readPointer = (pointer: string): string =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce(join, '');

const join = (path: string, key: string): string => {
  if (/^\d+$/.test(key)) return `${path}[${key}]`;
  return path === '' ? key : `${path}.${key}`;
};
