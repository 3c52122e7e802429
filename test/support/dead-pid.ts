/** A number that no process can have: one above Linux's largest possible pid, far above macOS's. */
export const deadPid = (): number => 2 ** 22 + 1;
