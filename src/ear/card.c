#include "ear/card.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/frames.h"
#include "ear/levels.h"
#include "ear/loudness.h"
#include "ear/motion.h"
#include "ear/recurrence.h"
#include "ear/stereo.h"
#include "ear/stft.h"
#include "ear/true_peak.h"

enum { BLOCK_FRAMES = CHUNK_FRAMES, BEND_FRAMES = 2 };

const struct card_row card_rows[] = {
#define CARD(name, unit, digits, help) {#name, unit, digits, help, offsetof(struct card, name)},
#include "ear/card.def"
#undef CARD
};
const int card_row_count = sizeof card_rows / sizeof *card_rows;

const struct card_row *card_row_find(const char *name)
{
    for (int i = 0; i < card_row_count; i++)
        if (strcmp(card_rows[i].name, name) == 0)
            return &card_rows[i];
    return NULL;
}

double card_value(const struct card *card, const struct card_row *row)
{
    double value;
    memcpy(&value, (const char *)card + row->offset, sizeof value);
    return value;
}

struct card_meter {
    float block[BLOCK_FRAMES * CHANNELS];
    size_t filled;
    // The last two frames of what came before, and the block after them: a bend needs three.
    float heard[(BEND_FRAMES + BLOCK_FRAMES) * CHANNELS], meant[(BEND_FRAMES + BLOCK_FRAMES) * CHANNELS];
    uint64_t compared;
    double difference;
    struct levels levels;
    struct loudness_meter loudness;
    struct true_peak true_peak;
    struct stereo stereo;
    struct click_finder clicks;
    struct stft stft;
    struct spectrum spectrum;
    struct partials partials;
    double roughness;           // summed over the windows
    struct signature signature;
    struct recurrence_meter recurrence;
    struct motion_meter motion;
};

struct card_meter *card_meter_create(void)
{
    struct card_meter *meter = calloc(1, sizeof *meter);
    if (!meter)
        return NULL;
    true_peak_init(&meter->true_peak);
    bool good = click_finder_init(&meter->clicks) == STATUS_OK;
    good = stft_init(&meter->stft, SPECTRUM_SIZE, SPECTRUM_HOP) && good;
    good = motion_init(&meter->motion) && good;
    if (good)
        return meter;
    card_meter_destroy(meter);
    return NULL;
}

void card_meter_destroy(struct card_meter *meter)
{
    if (!meter)
        return;
    loudness_finish(&meter->loudness);
    click_finder_finish(&meter->clicks);
    stft_finish(&meter->stft);
    recurrence_finish(&meter->recurrence);
    motion_finish(&meter->motion);
    free(meter);
}

static void card_window(void *context, const double *power)
{
    struct card_meter *meter = context;
    double bands[SPECTRUM_BANDS];
    spectrum_add(&meter->spectrum, power);
    spectrum_bands(power, bands);
    partials_find(&meter->partials, power);
    meter->roughness += partials_roughness(&meter->partials);
    signature_add(&meter->signature, &meter->partials, bands);
    recurrence_add(&meter->recurrence, &meter->partials, bands);
}

// The block goes to all meters; those that look at spectra get silence where it is no number.
static enum status card_block(struct card_meter *meter)
{
    float *block = meter->block;
    uint64_t first_frame = meter->levels.frames;
    size_t frames = meter->filled;
    meter->filled = 0;
    levels_add(&meter->levels, block, frames);
    enum status status = click_finder_add(&meter->clicks, first_frame, block, frames);
    for (size_t i = 0; i < frames * CHANNELS; i++)
        block[i] = isfinite(block[i]) ? block[i] : 0;
    loudness_add(&meter->loudness, block, frames);
    true_peak_add(&meter->true_peak, block, frames);
    stereo_add(&meter->stereo, block, frames);
    stft_add(&meter->stft, block, frames, card_window, meter);
    motion_add(&meter->motion, block, frames);
    return status;
}

enum status card_meter_add(struct card_meter *meter, const float *stereo, size_t frames)
{
    enum status status = STATUS_OK;
    while (frames > 0 && status == STATUS_OK) {
        size_t room = BLOCK_FRAMES - meter->filled, take = frames < room ? frames : room;
        memcpy(meter->block + meter->filled * CHANNELS, stereo, take * CHANNELS * sizeof *stereo);
        meter->filled += take;
        stereo += take * CHANNELS;
        frames -= take;
        if (meter->filled == BLOCK_FRAMES)
            status = card_block(meter);
    }
    return status;
}

// Before the first frame there is silence in both.
static void card_differ(struct card_meter *meter, const float *stereo, const float *reference, size_t frames)
{
    const size_t bend = (size_t)BEND_FRAMES * CHANNELS, count = frames * CHANNELS;
    memcpy(meter->heard + bend, stereo, count * sizeof *stereo);
    memcpy(meter->meant + bend, reference, count * sizeof *reference);
    meter->difference = fmax(meter->difference, clicks_difference(meter->heard, meter->meant, BEND_FRAMES + frames));
    memmove(meter->heard, meter->heard + count, bend * sizeof *meter->heard);
    memmove(meter->meant, meter->meant + count, bend * sizeof *meter->meant);
    meter->compared += frames;
}

enum status card_meter_add_pair(struct card_meter *meter, const float *stereo, const float *reference, size_t frames)
{
    enum status status = STATUS_OK;
    while (frames > 0 && status == STATUS_OK) {
        size_t take = frames < BLOCK_FRAMES ? frames : BLOCK_FRAMES;
        card_differ(meter, stereo, reference, take);
        status = card_meter_add(meter, stereo, take);
        stereo += take * CHANNELS;
        reference += take * CHANNELS;
        frames -= take;
    }
    return status;
}

static void card_read_levels(const struct card_meter *meter, struct card *card)
{
    struct loudness loudness = loudness_read(&meter->loudness);
    card->duration = (double)meter->levels.frames / FRAME_RATE;
    card->integrated = loudness.integrated_lufs;
    card->momentary_max = loudness.momentary_max_lufs;
    card->short_term_max = loudness.short_term_max_lufs;
    card->short_term_move = loudness.short_term_move_lu;
    card->short_term_move_at = loudness.short_term_move_at_s;
    card->loudness_range = loudness.range_lu;
    card->true_peak = true_peak_dbtp(&meter->true_peak);
    card->sample_peak = levels_peak_dbfs(&meter->levels);
    card->rms = levels_rms_dbfs(&meter->levels);
    card->crest = levels_crest_db(&meter->levels);
    card->dc = levels_dc_dbfs(&meter->levels);
    card->nonfinite = (double)meter->levels.nonfinite;
    card->denormals = (double)meter->levels.denormals;
}

static void card_read_clicks(const struct card_meter *meter, struct card *card)
{
    card->clicks = (double)meter->clicks.count;
    card->first_click = meter->clicks.count > 0 ? (double)meter->clicks.found[0].frame / FRAME_RATE : NAN;
    card->reference_difference = meter->compared > 0 ? meter->difference : NAN;
}

static void card_read_spectrum(const struct card_meter *meter, struct card *card)
{
    const struct spectrum *spectrum = &meter->spectrum;
    card->correlation = stereo_correlation(&meter->stereo);
    card->bass_correlation = stereo_bass_correlation(&meter->stereo);
    card->fold_down_loss = stereo_fold_down_loss_db(&meter->stereo);
    card->slope = spectrum_slope_db_per_octave(spectrum);
    card->centroid = spectrum_centroid_hz(spectrum);
    card->flatness = spectrum_flatness_db(spectrum);
    card->sub = spectrum_zone_db(spectrum, ZONE_SUB);
    card->low = spectrum_zone_db(spectrum, ZONE_LOW);
    card->middle = spectrum_zone_db(spectrum, ZONE_MIDDLE);
    card->high = spectrum_zone_db(spectrum, ZONE_HIGH);
    card->air = spectrum_zone_db(spectrum, ZONE_AIR);
    card->roughness = spectrum->windows > 0 ? meter->roughness / (double)spectrum->windows : NAN;
    card->signature = meter->signature;
}

static void card_read_time(const struct card_meter *meter, struct card *card)
{
    struct motion motion = motion_read(&meter->motion);
    struct recurrence recurrence = recurrence_read(&meter->recurrence);
    card->onset_rate = motion.onsets_per_s;
    card->grid = motion.grid_correlation;
    card->grid_lag = motion.grid_lag_s;
    card->self_similarity = recurrence.similarity;
    card->self_similarity_lag = recurrence.lag_s;
}

enum status card_meter_read(struct card_meter *meter, struct card *card)
{
    enum status status = card_block(meter);
    if (status == STATUS_OK)
        status = click_finder_end(&meter->clicks);
    card_read_levels(meter, card);
    card_read_clicks(meter, card);
    card_read_spectrum(meter, card);
    card_read_time(meter, card);
    bool lost = meter->loudness.steps.failed || meter->recurrence.pieces.failed || meter->motion.rise.failed ||
                meter->motion.loudness.failed;
    return lost ? STATUS_MEMORY : status;
}

const struct click *card_meter_clicks(const struct card_meter *meter, size_t *count)
{
    *count = meter->clicks.count;
    return meter->clicks.found;
}

// One step each is a difference that is clearly heard.
static const struct { size_t offset; double step; } card_characters[] = {
    {offsetof(struct card, roughness), .1}, {offsetof(struct card, onset_rate), .25},
    {offsetof(struct card, correlation), .2}, {offsetof(struct card, loudness_range), 3},
};
enum { CHARACTERS = sizeof card_characters / sizeof *card_characters };

struct card_distance card_compare(const struct card *a, const struct card *b)
{
    double squares = 0;
    for (int i = 0; i < CHARACTERS; i++) {
        struct card_row row = {.offset = card_characters[i].offset};
        double steps = (card_value(a, &row) - card_value(b, &row)) / card_characters[i].step;
        squares += isfinite(steps) ? steps * steps : 0;
    }
    struct card_distance distance = {
        .timbre_db = signature_timbre_distance_db(&a->signature, &b->signature),
        .chroma = signature_chroma_distance(&a->signature, &b->signature),
        .character = sqrt(squares / CHARACTERS),
    };
    distance.all = sqrt(pow(distance.timbre_db / 6, 2) + pow(distance.chroma / .5, 2) + pow(distance.character, 2));
    return distance;
}
