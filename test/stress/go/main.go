// A contender of the stress run that takes locks as Gas Town does. Rewritten for this harness.
//
//	go-writer TOWN ORACLE seed|guarded
//
// seed: reads the lock, removes it if its PID is dead, writes in place; releases without a check. guarded: the same under a
// flock on agent.lock.flock, written to agent.lock.tmp and renamed; releases without the guard.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type record struct {
	PID        int       `json:"pid"`
	AcquiredAt time.Time `json:"acquired_at"`
	SessionID  string    `json:"session_id,omitempty"`
	Hostname   string    `json:"hostname,omitempty"`
}

var (
	town, oracle = os.Args[1], os.Args[2]
	guarded      = os.Args[3] == "guarded"
	own          = fmt.Sprintf("%d-%s-go", os.Getpid(), startTicks(os.Getpid()))
	traced       = os.Getenv("STRESS_TRACE") == "1"
)

// Records what was done to which worker; all processes append to one file, which gives the order.
func trace(lock, what string) {
	if traced {
		note("trace", fmt.Sprintf("%s %s %s\n", filepath.Base(filepath.Dir(filepath.Dir(lock))), own, what))
	}
}

// Field 22 of /proc/<pid>/stat; empty for a process that is gone or a zombie.
func startTicks(pid int) string {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	text := string(line)
	fields := strings.Fields(text[strings.LastIndex(text, ")")+1:])
	if len(fields) < 20 || strings.ContainsAny(fields[0], "ZXx") {
		return ""
	}
	return fields[19]
}

func exists(pid int) bool { return pid > 0 && syscall.Kill(pid, 0) == nil }

func holderOf(lock string) int {
	data, err := os.ReadFile(lock)
	var seen record
	if err != nil || json.Unmarshal(data, &seen) != nil {
		return 0
	}
	return seen.PID
}

func write(path string) error {
	host, _ := os.Hostname()
	text, err := json.MarshalIndent(record{PID: os.Getpid(), AcquiredAt: time.Now(), Hostname: host}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

func acquire(lock string) (bool, error) {
	target := lock
	if guarded {
		guard, err := os.OpenFile(lock+".flock", os.O_CREATE|os.O_RDWR, 0o644)
		if err != nil {
			return false, err
		}
		defer guard.Close()
		if err := syscall.Flock(int(guard.Fd()), syscall.LOCK_EX); err != nil {
			return false, err
		}
		target = lock + ".tmp"
	}
	holder := holderOf(lock)
	if holder != 0 && holder != os.Getpid() {
		if exists(holder) {
			return false, nil
		}
		trace(lock, fmt.Sprintf("has read that %d holds it, who is dead; will remove whatever lies there", holder))
		stretch()
		if err := os.Remove(lock); err != nil && !errors.Is(err, os.ErrNotExist) {
			return false, err
		}
	}
	if holder == 0 {
		trace(lock, "has read that nobody holds it; will write without another look")
		stretch()
	}
	if err := write(target); err != nil {
		return false, err
	}
	if guarded {
		if err := os.Rename(target, lock); err != nil {
			return true, err
		}
	}
	trace(lock, "has written its record")
	return true, nil
}

// Extends the time between check and action, so that rare races happen often.
func stretch() {
	if ms, err := strconv.Atoi(os.Getenv("STRESS_WINDOW_MS")); err == nil && ms > 0 {
		pause(time.Duration(ms) * time.Millisecond)
	}
}

func note(file, text string) {
	out, err := os.OpenFile(filepath.Join(oracle, file), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		panic(err)
	}
	defer out.Close()
	if _, err := out.WriteString(text); err != nil {
		panic(err)
	}
}

// Enters a slot of the worker and counts live processes in other slots.
func enter(worker string) {
	slots := filepath.Join(oracle, "slots-"+worker)
	if err := os.WriteFile(filepath.Join(slots, own), nil, 0o644); err != nil {
		panic(err)
	}
	for _, name := range names(slots) {
		var pid int
		fmt.Sscanf(name, "%d-", &pid)
		ticks := strings.Split(name, "-")[1]
		if name == own {
			continue
		}
		if startTicks(pid) != ticks {
			os.Remove(filepath.Join(slots, name))
		} else if _, err := os.Stat(filepath.Join(slots, name)); err == nil && startTicks(pid) == ticks {
			note("details", fmt.Sprintf("overlaps: %s and %s both hold %s\n", own, name, worker))
		}
	}
}

func names(directory string) []string {
	entries, err := os.ReadDir(directory)
	if err != nil {
		panic(err)
	}
	found := []string{}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), ".") {
			found = append(found, entry.Name())
		}
	}
	return found
}

func pause(longest time.Duration) { time.Sleep(time.Duration(rand.Int63n(int64(longest)))) }

func main() {
	rand.Seed(time.Now().UnixNano() + int64(os.Getpid()))
	workers := names(town)
	for {
		worker := workers[rand.Intn(len(workers))]
		lock := filepath.Join(town, worker, ".runtime", "agent.lock")
		got, err := acquire(lock)
		if err != nil {
			note("details", fmt.Sprintf("go could not: %v\n", err))
		} else if got {
			enter(worker)
			note("holds-go", ".")
			pause(30 * time.Millisecond)
			if holderOf(lock) != os.Getpid() {
				note("details", fmt.Sprintf("lost: %s lost %s\n", own, worker))
			}
			os.Remove(filepath.Join(oracle, "slots-"+worker, own))
			trace(lock, fmt.Sprintf("ends its hold, removes the lock, in which it reads %d", holderOf(lock)))
			os.Remove(lock)
		}
		pause(20 * time.Millisecond)
	}
}
