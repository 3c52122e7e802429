/*
 * Swaps a directory with a symlink, and back, as fast as possible, until it is killed; writes the lock in the directory again
 * whenever it is gone. Usage: swap DIRECTORY LINK LOCK-TEXT
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  int real = open(argv[1], O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (real < 0) return 3;
  write(1, "ready\n", 6);
  for (;;) {
    if (renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE) != 0) return 4;
    int lock = openat(real, "agent.lock", O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (lock >= 0) {
      if (write(lock, argv[3], strlen(argv[3])) < 0) return 5;
      close(lock);
    }
    /* Sometimes long enough for a complete acquire or repair between two swaps. */
    usleep(rand() % (rand() % 8 ? 400 : 20000));
  }
}
