/** Groups values by a key, in order of first appearance; values whose key is null are left out. (Node 20 has no Map.groupBy.) */
export const groupBy = <K, V>(values: Iterable<V>, keyOf: (value: V) => K | null): Map<K, V[]> => {
  const groups = new Map<K, V[]>();
  for (const value of values) {
    const key = keyOf(value);
    if (key === null) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
};
