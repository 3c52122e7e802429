/** Reads the list of rigs as Gas Town writes it. */

import type { Rig } from '../../core/types/evidence.ts';
import { fieldsOf } from '../../core/unchecked.ts';
import { tryOr } from '../../io/try-or.ts';

/**
 * The rigs that `mayor/rigs.json` names, sorted; null where the bytes are not such a document. A rig whose entry has no
 * usable prefix has `prefix: null`.
 */
export const parseRigs = (bytes: Uint8Array): readonly Rig[] | null => {
  const { rigs } = fieldsOf(tryOr(() => JSON.parse(new TextDecoder().decode(bytes)), null));
  if (typeof rigs !== 'object' || rigs === null || Array.isArray(rigs)) return null;
  return Object.entries(rigs)
    .map(([name, entry]) => ({ name, prefix: text(fieldsOf(fieldsOf(entry).beads).prefix) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
};

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
