/** Every deed that a kind can name. */
import type { LetGo } from '../../core/types/kind.ts';
import type { Deed } from './deed.ts';
import { moveAsideDeed } from './move-aside.ts';

export const DEEDS: Readonly<Record<LetGo, Deed>> = { 'move-aside': moveAsideDeed };
