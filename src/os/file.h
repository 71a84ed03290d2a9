// Files and directories, and what the process itself uses.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

// Makes the directory and its missing parents (mode 0700).   Errors: STATUS_DENIED, STATUS_IO (a file is in the way).
MUST_USE enum status file_make_directory(const char *path);
// Creates `directory`/auralis.lock and locks it for this process until it ends or file_unlock.
//   descriptor: out, for file_unlock.
// Errors: STATUS_IN_USE (another process holds it), STATUS_NOT_FOUND (no such directory), STATUS_DENIED, STATUS_IO.
MUST_USE enum status file_lock_directory(const char *directory, int *descriptor);
void file_unlock(int descriptor);
// Reads a whole file of at most cap - 1 bytes and closes it with a zero.   len: out.
// Errors: STATUS_NOT_FOUND, STATUS_DENIED, STATUS_FULL (larger than that), STATUS_IO.
MUST_USE enum status file_read(const char *path, char *bytes, size_t cap, size_t *len);
// Likewise, with as much room as it takes, up to `most` bytes; without a closing zero.
//   bytes: out, to be freed; NULL after an error.
// Errors: as above; STATUS_MEMORY.
MUST_USE enum status file_read_whole(const char *path, size_t most, char **bytes, size_t *len);
// A number that another content hardly ever has.   Errors: STATUS_NOT_FOUND, STATUS_DENIED, STATUS_IO.
MUST_USE enum status file_sum(const char *path, uint64_t *sum);
// Writes a whole file in place of the one that may be there: whoever reads sees the old or the new one, after a power
// cut too.   mode: its permissions, from the beginning.
// Errors: STATUS_NOT_FOUND (no such directory), STATUS_DENIED, STATUS_IO.
MUST_USE enum status file_write(const char *path, const char *bytes, size_t len, unsigned mode);

// A file of `bytes` bytes to be read and written in place (mode 0600), made if there is none; its room on the disk is
// claimed at once. Returns its descriptor; -1: it cannot be, and is not left behind without room.
int file_open_room(const char *path, size_t bytes);
// All of it, at a place. False when it is not there, or there is no room.
bool file_read_at(int descriptor, void *bytes, size_t len, uint64_t at);
bool file_write_at(int descriptor, const void *bytes, size_t len, uint64_t at);

// Resident memory of this process in bytes; 0 where the system does not tell.
uint64_t process_resident_bytes(void);
// Descriptors that this process has open; 0 where the system does not tell.
uint64_t process_open_descriptors(void);
// What this boot of the system is called: another name after the next one. "" where the system does not tell.
void process_boot_id(char *id, size_t cap);
// Raises the limit of open descriptors as far as the system allows. Returns the limit in force.
uint64_t process_raise_descriptor_limit(void);
