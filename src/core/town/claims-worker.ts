/** Which locks speak for a worker: a directory is somebody's place, and its agent somebody's, by these alone. */
import type { LockFile } from '../types/evidence.ts';

/** True for the lock of a kind that claims the worker it lies at. */
export const claimsWorker = ({ rules }: Pick<LockFile, 'rules'>): boolean => rules === undefined;
