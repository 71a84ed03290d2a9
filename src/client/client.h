// Clients of a server: many at once on one loop, protocols v2 (Opus, PCM), v1 and v0. For load, monitoring and tests.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/histogram.h"
#include "base/status.h"
#include "wire/format.h"

enum client_protocol { CLIENT_OPUS, CLIENT_PCM, CLIENT_V1, CLIENT_V0 };

// A chunk as it arrived. Valid during the call.
struct client_chunk {
    int listener;
    uint64_t first_frame;        // v2; for v0/v1: chunks since connect
    uint32_t generation;
    uint8_t flags;
    const uint8_t *payload;      // Opus packets in a row, PCM, or decoded 44.1 kHz PCM
    size_t payload_bytes;
    const uint16_t *packet_bytes;
    int packet_count;
    bool burst;                  // before the steady schedule: not counted in lateness
    uint64_t arrival_ns, due_ns; // clock of this machine
};

struct client_config {
    const char *url;                 // "http://host:port" or "ws://host:port/ws/v2?station=main"
    enum client_protocol protocol;
    int listeners;
    double duration_s;
    const char *buffer_tier;         // v1; NULL: normal
    void (*chunk)(void *context, const struct client_chunk *chunk);  // may be NULL
    void (*progress)(void *context, double elapsed_s);               // about four times a second; may be NULL
    void *context;
};

// What all listeners together met. Lateness counts steady chunks: arrival - send due time, early counts as 0.
struct client_report {
    int listeners, connected, failed;
    uint64_t chunks_expected, chunks_received, burst_chunks, gaps, bytes, decode_errors, protocol_errors;
    uint64_t early;                  // more than 100 ms before due
    struct histogram lateness, jitter, start_up, loop_lag;
    // From the first listener's hello (v2).
    char station[64];
    uint64_t seed, origin_ns, lead_frames, decoder_delay_frames;
    char encoder_id[128];
    char failure[160];               // the first failure in words; "" when there was none
};

// Runs to the end on the calling thread.   Errors: STATUS_INVALID (the URL), STATUS_CLOSED (nobody could connect, with
// report->failure), STATUS_MEMORY.
MUST_USE enum status client_run(const struct client_config *config, struct client_report *report);
// One HTTP GET.   body: out, the caller's to free, closed by a zero.   Errors: STATUS_INVALID, STATUS_CLOSED, STATUS_IO.
MUST_USE enum status client_get(const char *url, const char *path, int *http_status, char **body, size_t *len);
