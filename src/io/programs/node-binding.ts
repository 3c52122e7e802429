/** Node's own calls below its modules, which take milliseconds to load. */

/**
 * One of the bindings that Node gives to everybody (`process.binding`). Null in a runtime without it, and where Node has to refuse
 * it or warn of it (`--permission`, `--pending-deprecation`).
 */
export const bindingOfNode = <T>(name: string): T | null => {
  const node = process as { readonly binding?: (name: string) => unknown };
  if (process.env.NODE_PENDING_DEPRECATION === '1' || process.execArgv.includes('--pending-deprecation'))
    return null;
  try {
    return (node.binding?.(name) as T | undefined) ?? null;
  } catch {
    return null;
  }
};
