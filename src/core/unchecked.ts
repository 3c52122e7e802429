/** Reads values that somebody else wrote and no schema has checked: each field is checked where it is read. Pure. */

/** The fields of an object, of unknown types. */
export type Fields = Readonly<Record<string, unknown>>;

/** The fields of a value; none where it is not an object. Never throws. */
export const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};
