/** Keeps the heap small in a run with many locks. */
import type { DiagnoseOptions } from '../../diagnose.ts';

/** Locks from which on it is worth while. */
const MANY = 200;

/**
 * Bytes of bytecode that a function runs before V8 considers optimizing it, 150 times as many as usual: what is done once for each
 * of ten thousand locks is over before optimized code pays. Without it a sixth of the time goes into compiling, and 7 MiB.
 * The V8 of Node 20 knows this flag; later ones complain of it on standard error.
 */
const HARDLY_EVER = '--interrupt-budget=20000000';
const KNOWS_BUDGET = process.versions.node.startsWith('20.');

/** The parts of a diagnosis at which memory is saved. */
type HeapKeeper = Required<Pick<DiagnoseOptions, 'onProgress' | 'onExamined'>>;

/**
 * Watches how many locks a scan meets. Once they are many, it asks V8 to collect garbage early, and once more after judging, when
 * what only the judge needed can go before the report is made. Otherwise the heap would grow to a multiple of what is kept. V8 has
 * to be told before the heap has grown, and a long run takes a few percent longer. Short runs are left alone: V8 does not accept
 * code that was compiled under other flags, so what is to be kept of this run (`scripts/build/start/`) is kept first.
 */
export const heapKeeper = (): HeapKeeper => {
  let isKept = false;
  return {
    onProgress: (_directories, locks) => {
      if (isKept || locks < MANY) return;
      isKept = true;
      (process.getBuiltinModule('node:module') as { flushCompileCache?: () => void }).flushCompileCache?.();
      const { setFlagsFromString } = process.getBuiltinModule('node:v8');
      setFlagsFromString('--semi-space-growth-factor=1');
      setFlagsFromString('--heap-growing-percent=40');
      if (KNOWS_BUDGET) setFlagsFromString(HARDLY_EVER);
    },
    onExamined: () => {
      if (isKept) collectGarbage();
    },
  };
};

/** V8 gives the function only to a context that is made while the flag is on. Where another engine has none, nothing happens. */
const collectGarbage = (): void => {
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  setFlagsFromString('--expose-gc');
  process.getBuiltinModule('node:vm').runInNewContext('typeof gc === "function" && gc()');
  setFlagsFromString('--no-expose-gc');
};
