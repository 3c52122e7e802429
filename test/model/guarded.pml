/*
 * The lock protocol of this program, one system call per step. Checked: there are never two holders at once; a holder's
 * lock is in place for as long as it holds it; nothing unfinished is left once all are done.
 *
 * Sizes by -D: A acquirers, D doctors (--fix), F foreign acquirers that lock like the newer Go release, CRASHES kills at
 * any time, STALE=1 starts with the lock of a dead holder. UNGUARDED omits the guard, to show what it is for.
 */
#ifndef A
#define A 2
#endif
#ifndef D
#define D 0
#endif
#ifndef F
#define F 0
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef STALE
#define STALE 1
#endif

#define N (A + D + F)
#define NOBODY 0          /* no file, no owner */
#define DEAD (N + 1)      /* the content of a lock whose holder died before the start */

byte lock = NOBODY;       /* content of agent.lock: who wrote it */
byte aside[N + 2];        /* content of each process's agent.lock.<nonce>.old */
bool staged[N + 2];       /* each process's agent.lock.<nonce>.new exists */
byte guard = NOBODY;      /* who has the flock */
bool alive[N + 2];
bool holds[N + 2];        /* was told that it has the lock, and has not begun to release it */
bool through[N + 2];
byte holders = 0;
byte crashes = 0;

/* The kernel drops a dead owner's flock (see Killer); files stay. */
#ifdef UNGUARDED
inline lockGuard()   { skip }
inline unlockGuard() { skip }
#else
inline lockGuard()   { atomic { guard == NOBODY -> guard = me } }
inline unlockGuard() { guard = NOBODY }
#endif

inline enter() { d_step { holds[me] = true; holders++; assert(holders == 1) } }
inline leave() { d_step { assert(lock == me); holds[me] = false; holders-- } }

/*
 * The first step under every guard: each unfinished .old is restored, removed, or kept beside a newer lock. A foreign record
 * (DEAD) does not show that its holder is dead, but an .old whose .new became the lock was replaced. Beside a foreign writer's
 * lock such an .old would stay, as it does on a disk: with F they are known to be dead.
 */
inline tidyUp() {
  k = 1;
  do
  :: k > N -> break
  :: k <= N ->
     if
     :: aside[k] != NOBODY && lock == NOBODY ->
        atomic { if :: lock == NOBODY -> lock = aside[k] :: else fi };   /* link: never replaces */
        aside[k] = NOBODY                                               /* unlink */
     :: aside[k] != NOBODY && lock != NOBODY &&
        (aside[k] == lock || (staged[k] && lock == k) || (!alive[aside[k]] && (aside[k] != DEAD || F > 0))) -> aside[k] = NOBODY
     :: else
     fi;
     k++
  od;
  atomic {
    k = 1;
    do
    :: k > N -> break
    :: k <= N -> staged[k] = false; k++
    od;
    k = 0
  }
}

/* rename, compare what was moved, finish or put back; `moved` says whether it was the expected lock. */
inline compareAndRemove(expected) {
  moved = false;
  atomic { if :: lock != NOBODY -> aside[me] = lock; lock = NOBODY :: else fi };
  if
  :: aside[me] == expected -> aside[me] = NOBODY; moved = true
  :: aside[me] != NOBODY && aside[me] != expected ->
     atomic { if :: lock == NOBODY -> lock = aside[me]; k = 1 :: else -> k = 0 fi };
     if :: k == 1 -> aside[me] = NOBODY; k = 0 :: else fi
  :: else
  fi
}

/* Replaces a stale lock by a staged record: it is moved aside and compared, and removed once the new one is in place. */
inline replace(expected) {
  /* Writing the .new affects no other process: one step with the rename. */
  atomic { staged[me] = true; if :: lock != NOBODY -> aside[me] = lock; lock = NOBODY :: else fi };
  if
  :: aside[me] == expected ->
     atomic { if :: lock == NOBODY -> lock = me; got = true :: else fi };      /* link */
     if :: got -> enter() :: else fi;
     aside[me] = NOBODY
  :: aside[me] != NOBODY && aside[me] != expected ->
     atomic { if :: lock == NOBODY -> lock = aside[me]; k = 1 :: else -> k = 0 fi };
     if :: k == 1 -> aside[me] = NOBODY; k = 0 :: else fi
  :: else
  fi;
  staged[me] = false
}

proctype Acquirer(byte me) {
  byte seen = 0, k = 0; bool moved = false, got = false;
  {
    lockGuard();
    tidyUp();
again:
    seen = lock;
    if
    :: seen == NOBODY ->
       atomic { if :: lock == NOBODY -> lock = me; got = true :: else fi };  /* link */
       if :: got -> enter() :: !got -> goto again fi
    :: seen != NOBODY && !alive[seen] ->
       replace(seen);
       if :: got -> skip :: !got -> goto again fi
    :: seen != NOBODY && alive[seen] -> skip                                 /* refused */
    fi;
    unlockGuard();
    if
    :: got ->
       skip;                                                                 /* holds */
       leave();
       lockGuard();
       seen = lock;
       if :: seen == me -> compareAndRemove(me) :: else fi;
       unlockGuard()
    :: else
    fi;
    through[me] = true
  } unless { !alive[me] }
}

proctype Doctor(byte me) {
  byte seen = 0, k = 0; bool moved = false;
  {
    seen = lock;                                                             /* diagnosis, without the guard */
    if
    :: seen != NOBODY && !alive[seen] ->
       lockGuard();
       tidyUp();
       if :: lock == seen -> compareAndRemove(seen) :: else fi;
       unlockGuard()
    :: else
    fi;
    through[me] = true
  } unless { !alive[me] }
}

/* Takes its lock under the flock, by a rename over the existing one, and releases it without the flock. */
proctype Foreign(byte me) {
  byte seen = 0; bool got = false;
  {
    lockGuard();
    seen = lock;
    if
    :: seen == NOBODY || !alive[seen] -> atomic { lock = me; got = true }; enter()
    :: else
    fi;
    unlockGuard();
    if
    :: got -> leave(); lock = NOBODY
    :: else
    fi;
    through[me] = true
  } unless { !alive[me] }
}

proctype Killer() {
  byte victim;
  do
  :: crashes < CRASHES ->
     select(victim : 1 .. N);
     atomic {
       crashes++;
       alive[victim] = false;
       if :: holds[victim] -> holds[victim] = false; holders-- :: else fi;
       if :: guard == victim -> guard = NOBODY :: else fi;
       victim = 0
     }
  :: break
  od
}

#define FINISHED(i) (through[i] || !alive[i])

init {
  byte i = 1;
  atomic {
    do :: i <= N -> alive[i] = true; i++ :: else -> break od;
    if :: STALE -> lock = DEAD :: else fi;
    i = 1;
    do
    :: i <= A -> run Acquirer(i); i++
    :: i > A && i <= A + D -> run Doctor(i); i++
    :: i > A + D && i <= N -> run Foreign(i); i++
    :: i > N -> break
    od;
    run Killer();
    i = 0
  };
  /* All are done: the next run cleans up, after which nothing is unfinished and no lock is lost. */
  (_nr_pr == 1);
  byte me = 0, k = 0;
  tidyUp();
  i = 1;
  do
  :: i <= N -> assert(aside[i] == NOBODY && !staged[i]); i++
  :: else -> break
  od
}
