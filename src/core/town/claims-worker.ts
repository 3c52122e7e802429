/** Which locks speak for a worker. Only these make a directory a worker's place. */
import type { LockFile } from '../types/evidence.ts';

/** True for the lock of a kind that claims the worker it lies at. */
export const claimsWorker = ({ rules }: Pick<LockFile, 'rules'>): boolean => rules === undefined;
