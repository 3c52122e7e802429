/** Reads values that somebody else wrote and no schema has checked: each field is checked where it is read. Pure. */

export type Fields = Readonly<Record<string, unknown>>;

export const isText = (value: unknown): value is string => typeof value === 'string';

/** True for a list whose values all pass the question. */
export const isListOf = (value: unknown, isOne: (one: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(isOne);

/** The fields of a value; none where it is not an object. Never throws. */
export const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};
