// Clients of a server: many at once on one loop, protocols v2 (Opus, PCM), v1 and v0. For load, monitoring and tests.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/frames.h"
#include "base/histogram.h"
#include "base/status.h"
#include "wire/format.h"

enum client_protocol { CLIENT_OPUS, CLIENT_PCM, CLIENT_V1, CLIENT_V0 };

// A message with audio as it arrived. Valid during the call.
struct client_chunk {
    int listener;
    uint64_t first_frame;        // v2; for v0 and v1: `sequence`
    uint32_t frame_count;        // v2: at 48 kHz; v0 and v1: at 44.1 kHz
    uint32_t generation;         // v2
    uint8_t flags;               // v2: enum message_flag; after a skip the next chunk does not follow the one before
    const uint8_t *payload;      // Opus packets in a row, or signed 16-bit PCM
    size_t payload_bytes;
    const uint16_t *packet_bytes;
    int packet_count;            // 0: PCM
    enum format format;          // v2: which rung of Opus is as the server told last
    bool burst;                  // before the steady schedule: not counted in lateness
    int64_t arrival_ns, due_ns;  // this machine's clock, at the server's speed
    int64_t heard_ns;            // v2: when its first frame is heard by who is in step
    int64_t moved_ns;            // v2: how much later that is than by the lead at the beginning
    double due_unix_ms;          // v0 and v1: `timestamp`
    const float *sound;          // decoded, interleaved stereo; NULL when this listener does not decode, or a preroll
    int sound_frames;
};

// v2: the live playhead when it arrived.
static inline uint64_t client_live_frame(const struct client_chunk *chunk)
{
    int64_t since_ms = (chunk->arrival_ns - chunk->heard_ns) / (int64_t)NS_PER_MS;
    int64_t frame = (int64_t)chunk->first_frame + since_ms * (FRAME_RATE / 1000);
    return frame > 0 ? (uint64_t)frame : 0;
}

// Whose certificates are taken, with https:// and wss://. All zero: those that the system trusts.
struct client_trust {
    bool insecure;                   // everybody's
    const char *ca_file;             // instead of the system's: certificates in PEM
};

struct client_config {
    const char *url;                 // "http://host:port" or "wss://host:port/ws/v2?station=main"
    struct client_trust trust;
    enum client_protocol protocol;
    const char *station;             // v2; NULL: the server's first
    const char *buffer_tier;         // v1; NULL: the server's default
    uint32_t bitrate;                // v2: highest of Opus that is wanted; 0: the server's default
    double change_s;                 // Opus: each listener asks for the next lower bit rate so often, after the lowest
                                     // for the highest; 0: never
    double steer_s;                  // v2: one listener turns the intensity so often, from the settle time on; 0: never
    bool reconnect;                  // v2: who is lost, or hears nothing for 1.5 s, comes back and resumes
    int listeners;
    int decoders;                    // the first so many listeners decode what they get
    double clock_speed;              // that of the server's clock; 0 stands for 1. All times here are on such a clock
    double settle_s;                 // from the moment that the last listener is connected or refused: chunks due
                                     // before its end are not timed
    double duration_s;               // after that; 0: until all have been greeted
    double stall_after_s;            // from the same moment: nobody reads any more, as behind a network that is gone;
                                     // 0: never
    void (*chunk)(void *context, const struct client_chunk *chunk);  // may be NULL
    void (*progress)(void *context, double elapsed_s, int connected);// about four times a second; may be NULL
    void (*settled)(void *context, int connected, int failed);       // all are connected or refused; may be NULL
    void (*stalled)(void *context);                                  // nobody reads from now on; may be NULL
    void *context;
};

// What all listeners together met. Steady chunks are those with a send due time of their own (not the burst at the
// start) that lies before the end. Lateness = arrival - send due time; early by up to 100 ms counts as 0. Jitter =
// |(a_k - a_k-1) - (due_k - due_k-1)| over the first chunks of steady deliveries. Arrival is read once per readable
// socket, before reading. All of it is programme time: with a clock of 20 times the speed, 1 ms of this machine counts
// as 20.
struct client_report {
    int listeners, connected, failed;
    int lost;                        // connected, but closed before the end and not back by then
    int silent;                      // connected, but not one chunk came
    uint64_t chunks_expected;        // steady: due between a listener's first steady chunk and the end, but for those
                                     // that come later since a change made what is before them another
    uint64_t chunks_received;        // steady
    uint64_t burst_chunks;
    uint64_t early;                  // more than 100 ms before due: wrong, and in neither histogram
    uint64_t gaps, gap_frames;       // holes and what is missing in them: frames (v2), chunks (v0, v1)
    uint64_t last_gap;               // where the last one ends, if there is one: a frame (v2), a sequence number
    uint64_t superseded;             // chunks sent again under a higher generation
    uint64_t reconnects;             // times that a listener was lost and tried again
    uint64_t resumes;                // times that one of these went on where it had stopped
    uint64_t dry;                    // chunks that came when their first frame ought to have been heard; a player begins
                                     // within a second
    uint64_t splices;                // times that a listener was told that they would be
    uint64_t late_switches;          // of these, chunks that came when what they change was being heard already
    uint64_t outdated;               // chunks that were heard as they were before a change: it was told to skip them
    uint64_t stale;                  // chunks of a generation that was out of date by then
    uint64_t format_chunks[FORMAT_COUNT];  // that came, bursts included
    uint64_t format_changes;         // how often a listener was told that another format or bit rate follows
    uint64_t bytes;                  // read from the sockets
    uint64_t decode_errors, protocol_errors;
    struct histogram lateness, jitter, start_up, loop_lag;
    uint64_t steers;                 // changes that were asked for, by steer_s
    struct histogram control_to_ear; // of each listener: from asking to the first frame heard that is another
    int64_t clock_error_ns;          // half of the round trip by which the server's clock was read; -1: never read
    char encoder_ids[FORMAT_COUNT][128];   // of the Opus rungs that the server told; "": not told
    // From the first listener's greeting (v2).
    char station[64];
    uint64_t decoder_delay_frames;
    double origin_unix_ms;           // unix time of frame 0
    char failure[160];               // the first failure in words; "" when there was none
};

// Runs to the end on the calling thread; SIGINT is an early end.
// Errors: STATUS_INVALID (the URL), STATUS_CLOSED (nobody could connect, with report->failure), STATUS_MEMORY.
MUST_USE enum status client_run(const struct client_config *config, struct client_report *report);
// One HTTP GET, given up after 10 s of silence.   body: out, the caller's to free, closed by a zero.
// Errors: STATUS_INVALID (the URL), STATUS_CLOSED (no connection, or not the server that it should be), STATUS_TIMEOUT,
// STATUS_DAMAGED (no HTTP, cut short), STATUS_UNSUPPORTED (a transfer encoding), STATUS_MEMORY.
MUST_USE enum status client_get(const char *url, const struct client_trust *trust, const char *path, int *http_status,
                                char **body, size_t *len);
