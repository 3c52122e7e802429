/** A view whose parent has gone without it, killed with -9: by then the terminal belongs to whoever waited for that parent. */

const CHECK_EVERY_MS = 500;

/** Calls once the parent process is another one than now; the answer stops that. */
export const onParentGone = (then: () => void): (() => void) => {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid !== parent) then();
  }, CHECK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
};
