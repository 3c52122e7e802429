/*
 * The protocol of the original package, one system call per step: read the lock, remove it if its holder is dead, write
 * it in place. Two holders at once are found immediately, with and without a stale lock, which proves that the check of
 * guarded.pml can fail.
 */
#ifndef A
#define A 2
#endif
#ifndef STALE
#define STALE 1
#endif
#define NOBODY 0
#define DEAD (A + 1)

byte lock = NOBODY;
bool alive[A + 2];
byte holders = 0;

proctype Acquirer(byte me) {
  byte seen = lock;
  if
  :: seen != NOBODY && alive[seen] -> goto done
  :: seen != NOBODY && !alive[seen] -> lock = NOBODY
  :: else
  fi;
  lock = me;
  d_step { holders++; assert(holders == 1) };
  d_step { assert(lock == me); holders-- };
  lock = NOBODY;
done:
  skip
}

init {
  byte i = 1;
  atomic {
    do :: i <= A -> alive[i] = true; i++ :: else -> break od;
    if :: STALE -> lock = DEAD :: else fi;
    i = 1;
    do :: i <= A -> run Acquirer(i); i++ :: else -> break od
  }
}
