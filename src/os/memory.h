// How much more memory this process may take, and giving back what it does not need. Any thread.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MEMORY_PATH_BYTES = 512, MEMORY_HUGE_BYTES = 2 << 20, MEMORY_APART_BYTES = 128 << 10 };

// Where the system tells: other places in tests.
struct memory_sources {
    const char *machine;     // "/proc/meminfo"
    const char *process;     // "/proc/self/status"
    const char *groups;      // "/proc/self/cgroup"
    const char *groups_root; // "/sys/fs/cgroup"
};

extern const struct memory_sources memory_system;

// The least of: what the machine has available; for the process's control group (version 2 or 1) and each group above
// it, the limit less what is used, file cache that can be dropped aside; the limits of address space and of data less
// what is used. UINT64_MAX where the system tells nothing.
uint64_t memory_headroom_bytes(const struct memory_sources *sources);
// The parts of it.
uint64_t memory_machine_headroom(const char *machine_path);
uint64_t memory_process_headroom(const char *process_path);
uint64_t memory_groups_headroom(const char *groups_path, const char *groups_root);

// The number after `name` at the start of a line, in bytes: "VmSize:\t  123 kB", "inactive_file 4096". False: no such
// line.
bool memory_field(const char *text, const char *name, uint64_t *bytes);
// A limit: digits, or "max". False when it is neither.
bool memory_limit(const char *text, uint64_t *bytes);
// The path of the group of controller "memory" (version 1) or of the one hierarchy (version 2) in /proc/self/cgroup.
bool memory_group_path(const char *text, bool version_2, char path[MEMORY_PATH_BYTES]);

// Gives whole pages within these bytes back to the system: they read as zeros then, and are there again when they are
// written. Where the system cannot do that nothing happens.
void memory_give_back(void *bytes, size_t len);
// Keeps each stretch of MEMORY_HUGE_BYTES within these bytes in one huge page from now on, if the system can; takes some
// hundred microseconds a stretch. What was never written counts as memory in use then.
void memory_fold(void *bytes, size_t len);
// Gives back what has been freed.
void memory_trim(void);
// From now on each piece of MEMORY_APART_BYTES or more is a mapping of its own and goes back as soon as it is freed. By
// itself the GNU C library raises that limit to the largest piece that was ever freed, and keeps as much.
void memory_map_apart(void);
