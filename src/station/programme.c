#include "station/programme.h"

#include <string.h>

#include "base/check.h"
#include "synth/dsp/denormals.h"

// Output runs SYNTH_LOOKAHEAD behind input: a chain whose input begins at I joins in at output frame I - this.
enum { LOOKAHEAD = SYNTH_LOOKAHEAD, BATCH_BLOCKS = CHUNK_FRAMES / CONTROL_FRAMES, SLOTS = 2 };
enum { FRAME_BYTES = CHANNELS * sizeof(float), BLOCK_BYTES = CONTROL_FRAMES * FRAME_BYTES };

// One of the two chains is the newest begun, the chain of epoch `newest`; it stands in slot newest % 2 and the one
// before it in the other. Behind this head follow the states of the two slots.
struct programme {
    uint64_t frame;                                // next to give
    uint64_t begun;                                // of the input, where its first chain began
    uint64_t newest;
    bool has_older;                                // the chain before the newest is there as well
    uint64_t faults_ended;                         // of chains that are gone
    int start_count;                               // what the newest has to be told with its first block
    struct event start_events[COMPOSE_MAX_EVENTS];
    float pending[CONTROL_FRAMES * CHANNELS];      // the block around `frame`, when that is inside one
    _Alignas(64) unsigned char states[];
};

// What a batch needs besides the state.
struct batch {
    const struct program *program;
    const struct backend *backend;
    uint64_t frame;                                // of output, multiple of 64
    int blocks;
    int event_count;
    struct event events[2 * COMPOSE_MAX_EVENTS];
    float mixed[BATCH_BLOCKS * CONTROL_FRAMES * CHANNELS];
    float older[BATCH_BLOCKS * CONTROL_FRAMES * CHANNELS];
};

static uint64_t chain_input_begin(uint64_t epoch)
{
    return epoch == 0 ? 0 : epoch * PROGRAMME_EPOCH_FRAMES - PROGRAMME_WARMUP_FRAMES;
}

// Where a render of what comes after a waking begins. Its first chain is that of the epoch whose own would have begun.
static uint64_t wake_begin_frame(uint64_t wake_frame)
{
    uint64_t before = PROGRAMME_WAKE_FRAMES + LOOKAHEAD;
    return wake_frame > before ? wake_frame - before : 0;
}

// The newest chain that has begun at an output frame.
static uint64_t chain_newest_at(uint64_t frame)
{
    return (frame + LOOKAHEAD + PROGRAMME_WARMUP_FRAMES) / PROGRAMME_EPOCH_FRAMES;
}

static uint64_t fade_end(uint64_t epoch)
{
    return epoch * PROGRAMME_EPOCH_FRAMES + PROGRAMME_FADE_FRAMES;
}

static const void *chain_state_const(const struct programme *programme, uint64_t epoch)
{
    return programme->states + epoch % SLOTS * synth_bytes();
}

static void *chain_state(struct programme *programme, uint64_t epoch)
{
    return programme->states + epoch % SLOTS * synth_bytes();
}

size_t programme_bytes(void)
{
    return sizeof(struct programme) + SLOTS * synth_bytes();
}

// As if the station had never slept.
static uint64_t epoch_begin_frame(uint64_t frame)
{
    uint64_t epoch = chain_newest_at(frame);
    if (epoch > 0 && frame < fade_end(epoch))
        epoch--;
    return epoch == 0 ? 0 : chain_input_begin(epoch) - LOOKAHEAD;
}

uint64_t programme_begin_frame(const struct program *program, uint64_t frame)
{
    uint64_t begin = epoch_begin_frame(frame), woken = wake_begin_frame(mood_log_woken(program->log, frame));
    return woken > begin ? woken : begin;
}

// The first chain begins where the render does, the others where their epoch says.
static uint64_t chain_begins_at(const struct programme *programme, uint64_t epoch)
{
    uint64_t begin = chain_input_begin(epoch);
    return begin > programme->begun ? begin : programme->begun;
}

static void chain_begin(struct programme *programme, const struct program *program, uint64_t epoch)
{
    uint64_t begin = chain_begins_at(programme, epoch);
    programme->newest = epoch;
    synth_start(chain_state(programme, epoch), begin);
    programme->start_count = compose_sounding(program, begin, programme->start_events);
}

void programme_start(struct programme *programme, const struct program *program, uint64_t frame)
{
    uint64_t woken = mood_log_woken(program->log, frame + PROGRAMME_WAKE_FRAMES + LOOKAHEAD);
    check(frame == epoch_begin_frame(fade_end(chain_newest_at(frame))) || frame == wake_begin_frame(woken));
    memset(programme, 0, programme_bytes());
    programme->frame = frame;
    programme->begun = frame == 0 ? 0 : frame + LOOKAHEAD;
    chain_begin(programme, program, chain_newest_at(frame));
}

uint64_t programme_frame(const struct programme *programme)
{
    return programme->frame;
}

// Events of the input [from, from + blocks). A chain that begins there hears first what sounds already.
static void batch_compose(struct batch *batch, struct programme *programme, uint64_t from, int blocks, bool begins)
{
    int count = begins ? programme->start_count : 0;
    memcpy(batch->events, programme->start_events, (size_t)count * sizeof(struct event));
    count += compose_events(batch->program, from, from + (uint64_t)blocks * CONTROL_FRAMES, batch->events + count);
    batch->event_count = count;
}

static void chain_render(struct programme *programme, struct batch *batch, uint64_t epoch, int blocks, float *out)
{
    void *state = chain_state(programme, epoch);
    uint64_t from = synth_input_frame(state);
    bool begins = from == chain_begins_at(programme, epoch);
    batch_compose(batch, programme, from, blocks, begins);
    synth_render(batch->backend, state, batch->events, batch->event_count, out, blocks);
}

// The chain of frame 0 begins with what would come out before frame 0: nothing, and it is dropped.
static void batch_lead_in(struct programme *programme, struct batch *batch)
{
    if (batch->frame == 0)
        chain_render(programme, batch, 0, LOOKAHEAD / CONTROL_FRAMES, batch->mixed);
}

// Share of the newer chain at a frame of the fade: 3 t^2 - 2 t^3, so that it neither starts nor ends with a bend.
static float fade_share(uint64_t frames_in)
{
    float t = ((float)frames_in + 0.5f) * (1.0f / (float)PROGRAMME_FADE_FRAMES);
    return t * t * (3.0f - 2.0f * t);
}

static void batch_fade(struct batch *batch, uint64_t frames_in)
{
    for (int i = 0; i < batch->blocks * CONTROL_FRAMES; i++) {
        float share = fade_share(frames_in + (uint64_t)i);
        for (int c = 0; c < CHANNELS; c++) {
            float *newer = &batch->mixed[i * CHANNELS + c], older = batch->older[i * CHANNELS + c];
            *newer = older + share * (*newer - older);
        }
    }
}

// The batch's sound into batch->mixed. All of it lies in one phase: a chain alone, one warming up unheard, or a fade.
static void batch_render(struct batch *batch, struct programme *programme)
{
    uint64_t newest = programme->newest, epoch_frame = newest * PROGRAMME_EPOCH_FRAMES;
    batch_lead_in(programme, batch);
    chain_render(programme, batch, newest, batch->blocks, batch->mixed);
    if (!programme->has_older || batch->frame >= fade_end(newest))
        return;
    chain_render(programme, batch, newest - 1, batch->blocks, batch->older);
    if (batch->frame < epoch_frame)
        memcpy(batch->mixed, batch->older, (size_t)batch->blocks * BLOCK_BYTES);
    else
        batch_fade(batch, batch->frame - epoch_frame);
}

// Frames from `frame` until the next chain begins, a fade begins, or one ends.
static uint64_t frames_to_next_phase(uint64_t frame, uint64_t newest)
{
    if (newest > 0 && frame < newest * PROGRAMME_EPOCH_FRAMES)
        return newest * PROGRAMME_EPOCH_FRAMES - frame;
    if (newest > 0 && frame < fade_end(newest))
        return fade_end(newest) - frame;
    return chain_input_begin(newest + 1) - LOOKAHEAD - frame;
}

static void begin_next_chain(struct programme *programme, const struct program *program)
{
    uint64_t newest = chain_newest_at(programme->frame);
    if (newest == programme->newest)
        return;
    if (programme->has_older)
        programme->faults_ended += synth_faults(chain_state(programme, newest));
    programme->has_older = true;
    chain_begin(programme, program, newest);
}

// Renders at least one block and gives up to `frames` frames of what came out. Returns how many.
static int render_batch(struct programme *programme, const struct program *program, const struct backend *backend,
                        float *out, int frames)
{
    begin_next_chain(programme, program);
    uint64_t phase_blocks = frames_to_next_phase(programme->frame, programme->newest) / CONTROL_FRAMES;
    int blocks = frames / CONTROL_FRAMES + (frames % CONTROL_FRAMES != 0);
    struct batch batch;
    batch.program = program;
    batch.backend = backend;
    batch.frame = programme->frame;
    batch.blocks = blocks < BATCH_BLOCKS ? blocks : BATCH_BLOCKS;
    if (phase_blocks < (uint64_t)batch.blocks)
        batch.blocks = (int)phase_blocks;
    batch_render(&batch, programme);
    int made = batch.blocks * CONTROL_FRAMES, given = made < frames ? made : frames;
    memcpy(out, batch.mixed, (size_t)given * FRAME_BYTES);
    memcpy(programme->pending, batch.mixed + (made - CONTROL_FRAMES) * CHANNELS, sizeof programme->pending);
    return given;
}

// What is left of the block around `frame`, up to `frames` frames. Returns how many, 0 between blocks.
static int take_pending(const struct programme *programme, float *out, int frames)
{
    int at = (int)(programme->frame % CONTROL_FRAMES);
    if (at == 0)
        return 0;
    int left = CONTROL_FRAMES - at, given = left < frames ? left : frames;
    memcpy(out, programme->pending + at * CHANNELS, (size_t)given * FRAME_BYTES);
    return given;
}

void programme_render(struct programme *programme, const struct program *program, const struct backend *backend,
                      float *out, int frames)
{
    denormals_state before = denormals_flush();
    while (frames > 0) {
        int given = take_pending(programme, out, frames);
        if (given == 0)
            given = render_batch(programme, program, backend, out, frames);
        programme->frame += (uint64_t)given;
        out += given * CHANNELS;
        frames -= given;
    }
    denormals_restore(before);
}

// The chain before the newest still sounds, or is to.
static bool older_counts(const struct programme *programme)
{
    return programme->has_older && programme->frame < fade_end(programme->newest);
}

int programme_parts(const struct programme *programme)
{
    return older_counts(programme) ? 2 : 1;
}

size_t programme_part_bytes(void)
{
    return sizeof(struct programme) + synth_bytes();
}

// The head and the newest chain; the one before it. Of one that has ended its faults are kept.
void programme_save(const struct programme *programme, int part, void *saved)
{
    struct programme *head = saved;
    if (part == 1) {
        memcpy(saved, chain_state_const(programme, programme->newest - 1), synth_bytes());
        return;
    }
    memcpy(head, programme, sizeof *head);
    memcpy(head->states, chain_state_const(programme, programme->newest), synth_bytes());
    if (programme->has_older && !older_counts(programme)) {
        head->has_older = false;
        head->faults_ended += synth_faults(chain_state_const(programme, programme->newest - 1));
    }
}

void programme_restore(struct programme *programme, int part, const void *saved)
{
    const struct programme *head = saved;
    if (part == 1) {
        memcpy(chain_state(programme, programme->newest - 1), saved, synth_bytes());
        return;
    }
    memcpy(programme, head, sizeof *head);
    memcpy(chain_state(programme, head->newest), head->states, synth_bytes());
}

uint64_t programme_faults(const struct programme *programme)
{
    uint64_t faults = programme->faults_ended + synth_faults(chain_state_const(programme, programme->newest));
    if (programme->has_older)
        faults += synth_faults(chain_state_const(programme, programme->newest - 1));
    return faults;
}

bool programme_failed(const struct programme *programme)
{
    return synth_failed(chain_state_const(programme, programme->newest)) ||
           (programme->has_older && synth_failed(chain_state_const(programme, programme->newest - 1)));
}

float programme_servo_db(const struct programme *programme)
{
    bool older = programme->has_older && programme->frame < programme->newest * PROGRAMME_EPOCH_FRAMES;
    return synth_servo_db(chain_state_const(programme, older ? programme->newest - 1 : programme->newest));
}
