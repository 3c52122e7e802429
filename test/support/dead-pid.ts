/** A PID that cannot exist: one above the largest possible PID on Linux, far above that on macOS. */
export const deadPid = (): number => 2 ** 22 + 1;
