#include "tools/bench_server.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/client.h"

enum { START_LIMIT_MS = 10000, ARGUMENTS_MAX = 32, PATH_BYTES = 512, REPORT_BYTES = 64 * 1024,
       SPARE_LISTENERS = 64, SETTLED_BYTES = 128, SETTLED_LIMIT_MS = 300 * 1000 };

static enum status server_spawn(struct bench_server *server, const char *program, int listeners)
{
    char room[16], lead[8];
    snprintf(lead, sizeof lead, "%d", BENCH_LEAD_S);
    snprintf(room, sizeof room, "%d", listeners + SPARE_LISTENERS);
    const char *const arguments[] = {program, "serve", "--listen", "127.0.0.1:0", "--data-dir", server->data_directory,
                                     "--max-listeners", room, "--lead", lead, "--seed", "7", "--log-level", "error",
                                     NULL};
    return child_start(&server->child, arguments);
}

enum status bench_server_start(struct bench_server *server, int listeners)
{
    static const char announced[] = "listening on ";
    char program[PATH_BYTES], line[BENCH_URL_BYTES + sizeof announced];
    *server = (struct bench_server){.data_directory = "/tmp/auralis-bench-XXXXXX"};
    if (!child_own_path(program, sizeof program))
        return STATUS_UNSUPPORTED;
    if (!mkdtemp(server->data_directory))
        return STATUS_IO;
    enum status status = server_spawn(server, program, listeners);
    if (status == STATUS_OK && (!child_line(&server->child, line, sizeof line, START_LIMIT_MS) ||
                                strncmp(line, announced, sizeof announced - 1) != 0))
        status = STATUS_IO;
    if (status == STATUS_OK)
        snprintf(server->url, sizeof server->url, "%s", line + sizeof announced - 1);
    else
        bench_server_end(server);
    return status;
}

// What the server leaves in its directory is known by name: nothing else is ever removed.
void bench_server_end(struct bench_server *server)
{
    static const char *const files[] = {"auralis.db", "auralis.db-wal", "auralis.db-shm", "auralis.lock",
                                        "auralis.snapshots"};
    char path[128];
    (void)child_end(&server->child);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", server->data_directory, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(server->data_directory);
}

enum status bench_listen_start(struct child *child, const char *const arguments[])
{
    char program[PATH_BYTES];
    const char *all[ARGUMENTS_MAX] = {program, "listen", "--json"};
    if (!child_own_path(program, sizeof program))
        return STATUS_UNSUPPORTED;
    for (int i = 0; arguments[i] && i + 4 < ARGUMENTS_MAX; i++)
        all[i + 3] = arguments[i];
    return child_start(child, all);
}

void bench_listen_settled(struct child *child)
{
    char line[SETTLED_BYTES];
    (void)child_line(child, line, sizeof line, SETTLED_LIMIT_MS);
}

json_t *bench_listen_finish(struct child *child)
{
    char *text = malloc(REPORT_BYTES);
    json_t *report = NULL;
    if (text) {
        size_t len = child_output(child, text, REPORT_BYTES);
        report = json_loadb(text, len, 0, NULL);
    }
    free(text);
    (void)child_wait(child);
    return report;
}

double bench_number(const json_t *report, const char *name)
{
    const json_t *value = json_object_get(report, name);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

void bench_sleep(double seconds)
{
    struct timespec delay = {.tv_sec = (time_t)seconds, .tv_nsec = (long)(fmod(seconds, 1) * 1e9)};
    nanosleep(&delay, NULL);
}

double bench_metric(const char *url, const char *name)
{
    char *body, line[160];
    int http_status;
    size_t len;
    double value = NAN;
    if (client_get(url, &(struct client_trust){0}, "/metrics", &http_status, &body, &len) != STATUS_OK)
        return NAN;
    snprintf(line, sizeof line, "\n%s", name);
    const char *at = strstr(body, line);
    if (at)
        value = strtod(at + strlen(line), NULL);
    free(body);
    return value;
}
