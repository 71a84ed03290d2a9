#include "client/client.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/address.h"
#include "client/crowd.h"
#include "client/member.h"
#include "os/file.h"

enum { CLIENT_LOOK_S = 5 };   // for an address to answer, where there are several

static const struct dialect *client_dialect(enum client_protocol protocol)
{
    switch (protocol) {
    case CLIENT_OPUS: return &dialect_opus;
    case CLIENT_PCM: return &dialect_pcm;
    case CLIENT_V1: return &dialect_v1;
    case CLIENT_V0: return &dialect_v0;
    }
    return NULL;
}

static void client_report_init(struct client_report *report, int listeners)
{
    memset(report, 0, sizeof *report);
    report->listeners = listeners;
    report->clock_error_ns = -1;
    histogram_init(&report->lateness);
    histogram_init(&report->jitter);
    histogram_init(&report->start_up);
    histogram_init(&report->loop_lag);
    histogram_init(&report->control_to_ear);
}

// The one that takes a connection. When none does, the first: its listeners then say why.
static const struct addrinfo *client_choose(const struct addrinfo *found)
{
    const struct addrinfo *chosen = found;
    int fd = found->ai_next ? address_connect(found, CLIENT_LOOK_S, &chosen) : -1;
    if (fd >= 0)
        close(fd);
    return chosen;
}

static bool client_resolve(struct crowd *crowd)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    int error = getaddrinfo(crowd->url.host, crowd->url.port, &hints, &found);
    if (error != 0) {
        crowd_failure(crowd, "%s: %s", crowd->url.host, gai_strerror(error));
        return false;
    }
    const struct addrinfo *chosen = client_choose(found);
    memcpy(&crowd->address, chosen->ai_addr, chosen->ai_addrlen);
    crowd->address_len = chosen->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

static bool client_prepare_tls(struct crowd *crowd)
{
    char reason[160];
    struct text fault = text_on(reason, sizeof reason);
    if (!crowd->url.secure)
        return true;
    crowd->tls = channel_context(&crowd->config->trust, &fault);
    if (!crowd->tls)
        crowd_failure(crowd, "%s", reason);
    return crowd->tls;
}

static void client_finish_member(struct member *member)
{
    struct crowd *crowd = member->crowd;
    if (member->greeted)
        tally_finish(&member->tally, crowd->dialect->first_due_ns(member), &crowd->window,
                     crowd->report);
    frame_reader_finish(&member->reader);
    decoder_destroy(member->decoder);
}

static void client_run_crowd(struct crowd *crowd)
{
    struct client_report *report = crowd->report;
    int64_t unix_ns = clock_unix_ns(&crowd->clock);
    if (crowd->dialect->unix_time && crowd->clock.speed == 1)
        clock_map_guess(&crowd->map, (double)unix_ns / 1e6, (uint64_t)crowd_now_ns(crowd));
    process_raise_descriptor_limit();
    upgrade_key_make(&crowd->key);
    crowd_run(crowd);
    for (int i = 0; i < crowd->started; i++)
        client_finish_member(&crowd->members[i]);
    if (crowd->map.count > 0)
        report->clock_error_ns = (int64_t)(crowd->map.round_trip_ns / 2);
}

static enum status client_run_with_memory(struct crowd *crowd)
{
    crowd->buffer = malloc(CROWD_READ_BYTES);
    crowd->members = calloc((size_t)crowd->config->listeners, sizeof *crowd->members);
    enum status status = STATUS_MEMORY;
    if (crowd->buffer && crowd->members && uv_loop_init(&crowd->loop) == 0) {
        client_run_crowd(crowd);
        uv_loop_close(&crowd->loop);
        status = crowd->report->connected > 0 ? STATUS_OK : STATUS_CLOSED;
    }
    free(crowd->members);
    free(crowd->buffer);
    return status;
}

enum status client_run(const struct client_config *config, struct client_report *report)
{
    client_report_init(report, config->listeners);
    struct crowd crowd = {.config = config, .report = report, .dialect = client_dialect(config->protocol)};
    if (config->listeners < 1 || !url_read(config->url, &crowd.url))
        return STATUS_INVALID;
    clock_init(&crowd.clock, config->clock_speed > 0 ? config->clock_speed : 1);
    enum status status = client_resolve(&crowd) && client_prepare_tls(&crowd) ? client_run_with_memory(&crowd)
                                                                            : STATUS_CLOSED;
    SSL_CTX_free(crowd.tls);
    return status;
}
