#include "os/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "os/file.h"

enum { MEMORY_TEXT_BYTES = 8192 };

const struct memory_sources memory_system = {"/proc/meminfo", "/proc/self/status", "/proc/self/cgroup",
                                             "/sys/fs/cgroup"};

// What one version of control groups calls its files.
struct memory_words {
    const char *folder, *limit, *softer_limit, *used, *cache;
};

static const struct memory_words memory_version_2 = {"", "memory.max", "memory.high", "memory.current",
                                                     "inactive_file"};
static const struct memory_words memory_version_1 = {"/memory", "memory.limit_in_bytes", NULL, "memory.usage_in_bytes",
                                                     "total_inactive_file"};

static uint64_t memory_least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t memory_left(uint64_t limit, uint64_t used)
{
    return limit == UINT64_MAX ? UINT64_MAX : limit > used ? limit - used : 0;
}

static bool memory_read(const char *path, char text[MEMORY_TEXT_BYTES])
{
    size_t len;
    return file_read(path, text, MEMORY_TEXT_BYTES, &len) == STATUS_OK;
}

bool memory_field(const char *text, const char *name, uint64_t *bytes)
{
    size_t len = strlen(name);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, len) != 0 || !strchr(": \t", line[len]) || !line[len])
            continue;
        const char *number = line + len + strspn(line + len, ": \t");
        char *end;
        unsigned long long value = strtoull(number, &end, 10);
        if (end == number)
            return false;
        *bytes = strncmp(end, " kB", 3) != 0 ? value : value < UINT64_MAX / 1024 ? value * 1024 : UINT64_MAX;
        return true;
    }
    return false;
}

bool memory_limit(const char *text, uint64_t *bytes)
{
    char *end;
    if (strncmp(text, "max", 3) == 0) {
        *bytes = UINT64_MAX;
        return true;
    }
    *bytes = strtoull(text, &end, 10);
    return end != text && *text != '-';
}

// "4:cpu,memory:/path": a controller among those of the line.
static bool memory_line_names(const char *controllers, size_t len, const char *name)
{
    size_t name_len = strlen(name);
    for (const char *at = controllers, *end = controllers + len; at < end;) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        size_t part = (size_t)((comma ? comma : end) - at);
        if (part == name_len && memcmp(at, name, part) == 0)
            return true;
        at += part + 1;
    }
    return false;
}

bool memory_group_path(const char *text, bool version_2, char path[MEMORY_PATH_BYTES])
{
    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        const char *first = strchr(line, ':'), *second = first ? strchr(first + 1, ':') : NULL;
        if (!second)
            return false;
        size_t controllers = (size_t)(second - first - 1), len = strcspn(second + 1, "\n");
        bool found = version_2 ? controllers == 0 : memory_line_names(first + 1, controllers, "memory");
        if (!found || len >= MEMORY_PATH_BYTES)
            continue;
        memcpy(path, second + 1, len);
        path[len] = '\0';
        return true;
    }
    return false;
}

static bool memory_group_read(const char *group, const char *file, char text[MEMORY_TEXT_BYTES])
{
    char path[2 * MEMORY_PATH_BYTES];
    int len = snprintf(path, sizeof path, "%s/%s", group, file);
    return len > 0 && (size_t)len < sizeof path && memory_read(path, text);
}

static uint64_t memory_group_limit(const char *group, const char *file)
{
    char text[MEMORY_TEXT_BYTES];
    uint64_t limit;
    return file && memory_group_read(group, file, text) && memory_limit(text, &limit) ? limit : UINT64_MAX;
}

// What one group leaves. A limit above all memory there is stands for none.
static uint64_t memory_group_headroom(const char *group, const struct memory_words *words)
{
    char text[MEMORY_TEXT_BYTES];
    uint64_t used, cache = 0;
    uint64_t limit = memory_least(memory_group_limit(group, words->limit),
                                  memory_group_limit(group, words->softer_limit));
    if (limit >= INT64_MAX / 2 || !memory_group_read(group, words->used, text) || !memory_limit(text, &used))
        return UINT64_MAX;
    if (memory_group_read(group, "memory.stat", text))
        (void)memory_field(text, words->cache, &cache);
    return memory_left(limit, used > cache ? used - cache : 0);
}

// The group and all above it. Within a container the path may begin outside of what can be seen: then the groups that
// do exist count.
static uint64_t memory_hierarchy_headroom(const char *text, const char *root, const struct memory_words *words)
{
    char path[MEMORY_PATH_BYTES], group[3 * MEMORY_PATH_BYTES];
    uint64_t least = UINT64_MAX;
    if (!memory_group_path(text, words == &memory_version_2, path))
        return UINT64_MAX;
    for (char *slash = path; slash;) {
        int len = snprintf(group, sizeof group, "%s%s%s", root, words->folder, path);
        if (len > 0 && (size_t)len < sizeof group)
            least = memory_least(least, memory_group_headroom(group, words));
        slash = strrchr(path, '/');
        if (slash)
            *slash = '\0';
    }
    return least;
}

uint64_t memory_groups_headroom(const char *groups_path, const char *groups_root)
{
    char text[MEMORY_TEXT_BYTES];
    if (!memory_read(groups_path, text))
        return UINT64_MAX;
    return memory_least(memory_hierarchy_headroom(text, groups_root, &memory_version_2),
                        memory_hierarchy_headroom(text, groups_root, &memory_version_1));
}

uint64_t memory_machine_headroom(const char *machine_path)
{
    char text[MEMORY_TEXT_BYTES];
    uint64_t available;
    return memory_read(machine_path, text) && memory_field(text, "MemAvailable", &available) ? available : UINT64_MAX;
}

static uint64_t memory_resource_headroom(int resource, const char *text, const char *field)
{
    struct rlimit limit;
    uint64_t used;
    if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || !memory_field(text, field, &used))
        return UINT64_MAX;
    return memory_left(limit.rlim_cur, used);
}

uint64_t memory_process_headroom(const char *process_path)
{
    char text[MEMORY_TEXT_BYTES];
    if (!memory_read(process_path, text))
        return UINT64_MAX;
    return memory_least(memory_resource_headroom(RLIMIT_AS, text, "VmSize"),
                        memory_resource_headroom(RLIMIT_DATA, text, "VmData"));
}

uint64_t memory_headroom_bytes(const struct memory_sources *sources)
{
    uint64_t machine = memory_machine_headroom(sources->machine);
    uint64_t process = memory_process_headroom(sources->process);
    uint64_t groups = memory_groups_headroom(sources->groups, sources->groups_root);
    return memory_least(machine, memory_least(process, groups));
}

void memory_give_back(void *bytes, size_t len)
{
#ifdef MADV_DONTNEED
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from = ((uintptr_t)bytes + page - 1) / page * page;
    uintptr_t to = ((uintptr_t)bytes + len) / page * page;
    if (to > from)
        (void)madvise((void *)from, to - from, MADV_DONTNEED);
#endif
}

#if defined(__linux__) && !defined(MADV_COLLAPSE)
#define MADV_COLLAPSE 25   // Linux 6.1; the C library does not name it yet
#endif

void memory_fold(void *bytes, size_t len)
{
#ifdef MADV_COLLAPSE
    uintptr_t from = ((uintptr_t)bytes + MEMORY_HUGE_BYTES - 1) / MEMORY_HUGE_BYTES * MEMORY_HUGE_BYTES;
    uintptr_t to = ((uintptr_t)bytes + len) / MEMORY_HUGE_BYTES * MEMORY_HUGE_BYTES;
    if (to > from)
        (void)madvise((void *)from, to - from, MADV_COLLAPSE);
#endif
}

void memory_trim(void)
{
#ifdef __GLIBC__
    (void)malloc_trim(0);
#endif
}

void memory_map_apart(void)
{
#ifdef __GLIBC__
    (void)mallopt(M_MMAP_THRESHOLD, MEMORY_APART_BYTES);
#endif
}
