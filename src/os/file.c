#include "os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

static enum status file_status(int error)
{
    switch (error) {
    case ENOENT: return STATUS_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS: return STATUS_DENIED;
    case EWOULDBLOCK: return STATUS_IN_USE;
    default: return STATUS_IO;
    }
}

static enum status file_make_one(const char *path)
{
    struct stat info;
    if (mkdir(path, 0700) == 0)
        return STATUS_OK;
    int error = errno;
    if (stat(path, &info) == 0)
        return S_ISDIR(info.st_mode) ? STATUS_OK : STATUS_IO;
    return file_status(error);
}

enum status file_make_directory(const char *path)
{
    char part[PATH_MAX];
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof part)
        return STATUS_IO;
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        enum status status = file_make_one(part);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status file_lock_directory(const char *directory, int *descriptor)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/auralis.lock", directory) >= (int)sizeof path)
        return STATUS_IO;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return file_status(errno);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        enum status status = file_status(errno);
        close(fd);
        return status;
    }
    *descriptor = fd;
    return STATUS_OK;
}

void file_unlock(int descriptor)
{
    if (descriptor >= 0)
        close(descriptor);
}

enum status file_read(const char *path, char *bytes, size_t cap, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return file_status(errno);
    size_t got = 0;
    ssize_t n = 0;
    while (got < cap && ((n = read(fd, bytes + got, cap - got)) > 0 || (n < 0 && errno == EINTR)))
        got += n > 0 ? (size_t)n : 0;
    close(fd);
    if (n < 0)
        return STATUS_IO;
    if (got == cap)
        return STATUS_FULL;
    bytes[got] = '\0';
    *len = got;
    return STATUS_OK;
}

static enum status file_take(FILE *file, size_t most, char **bytes, size_t *len)
{
    enum { FIRST_BYTES = 64 * 1024 };
    for (size_t cap = FIRST_BYTES;; cap = cap > most / 2 ? most + 1 : 2 * cap) {
        char *grown = realloc(*bytes, cap);
        if (!grown)
            return STATUS_MEMORY;
        *bytes = grown;
        *len += fread(grown + *len, 1, cap - *len, file);
        if (*len > most)
            return STATUS_FULL;
        if (*len < cap)
            return ferror(file) ? STATUS_IO : STATUS_OK;
    }
}

enum status file_read_whole(const char *path, size_t most, char **bytes, size_t *len)
{
    *bytes = NULL;
    *len = 0;
    FILE *file = fopen(path, "rbe");
    if (!file)
        return file_status(errno);
    enum status status = file_take(file, most, bytes, len);
    fclose(file);
    if (status == STATUS_OK)
        return STATUS_OK;
    free(*bytes);
    *bytes = NULL;
    return status;
}

enum status file_sum(const char *path, uint64_t *sum)
{
    unsigned char bytes[64 * 1024];
    FILE *file = fopen(path, "rbe");
    if (!file)
        return file_status(errno);
    size_t len;
    *sum = 0;
    while ((len = fread(bytes, 1, sizeof bytes, file)) > 0) {
        uint64_t words[] = {*sum, hash_bytes(bytes, len)};
        *sum = hash_bytes(words, sizeof words);
    }
    bool good = !ferror(file);
    fclose(file);
    return good ? STATUS_OK : STATUS_IO;
}

static enum status file_fill(int fd, const char *bytes, size_t len, unsigned mode)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno != EINTR)
            return file_status(errno);
        bytes += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return fchmod(fd, mode) == 0 && fsync(fd) == 0 ? STATUS_OK : file_status(errno);
}

enum status file_write(const char *path, const char *bytes, size_t len, unsigned mode)
{
    char fresh[PATH_MAX];
    if (snprintf(fresh, sizeof fresh, "%s.new", path) >= (int)sizeof fresh)
        return STATUS_IO;
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0)
        return file_status(errno);
    enum status status = file_fill(fd, bytes, len, mode);
    close(fd);
    if (status == STATUS_OK && rename(fresh, path) != 0)
        status = file_status(errno);
    if (status != STATUS_OK)
        unlink(fresh);
    return status;
}

int file_open_room(const char *path, size_t bytes)
{
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0 || posix_fallocate(descriptor, 0, (off_t)bytes) == 0)
        return descriptor;
    close(descriptor);
    (void)unlink(path);
    return -1;
}

// A call moved so many bytes, or was cut short by a signal.
static bool file_moved(ssize_t count, size_t *done)
{
    *done += count > 0 ? (size_t)count : 0;
    return count > 0 || (count < 0 && errno == EINTR);
}

bool file_read_at(int descriptor, void *bytes, size_t len, uint64_t at)
{
    size_t done = 0;
    while (done < len && file_moved(pread(descriptor, (char *)bytes + done, len - done, (off_t)(at + done)), &done)) {
    }
    return done == len;
}

bool file_write_at(int descriptor, const void *bytes, size_t len, uint64_t at)
{
    size_t done = 0;
    while (done < len &&
           file_moved(pwrite(descriptor, (const char *)bytes + done, len - done, (off_t)(at + done)), &done)) {
    }
    return done == len;
}

uint64_t process_resident_bytes(void)
{
    char text[256];
    size_t len;
    unsigned long pages, resident;
    if (file_read("/proc/self/statm", text, sizeof text, &len) != STATUS_OK ||
        sscanf(text, "%lu %lu", &pages, &resident) != 2)
        return 0;
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t process_open_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    if (!directory)
        return 0;
    uint64_t count = 0;
    while (readdir(directory))
        count++;
    closedir(directory);
    return count - 3;  // itself, "." and ".."
}

void process_boot_id(char *id, size_t cap)
{
    size_t len = 0;
    if (file_read("/proc/sys/kernel/random/boot_id", id, cap, &len) != STATUS_OK)
        len = 0;
    id[strcspn(id, "\n")] = '\0';
    if (len == 0)
        *id = '\0';
}

uint64_t process_raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}
