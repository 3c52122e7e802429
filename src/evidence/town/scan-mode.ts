/** How much of a town a look goes through. */
import type { ScanMode } from '../../core/types/evidence.ts';
import { isMarked } from './marker.ts';

/**
 * The look that was asked for, at this root. Only a Gas Town has a layout by which a quick look knows where workers are: anywhere
 * else it would miss most locks, so the ordinary one is made.
 */
export const scanModeAt = (root: string, asked: ScanMode = 'default'): ScanMode =>
  asked === 'quick' && !isMarked(root) ? 'default' : asked;
