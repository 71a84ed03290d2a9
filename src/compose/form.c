#include "compose/form.h"

#include "base/frames.h"
#include "base/random.h"
#include "compose/purpose.h"

#define SUPER_FRAMES ((uint64_t)20 * 60 * FRAME_RATE)

// Two neighbouring super-sections have this many sections together, so that sections can be counted in constant time.
enum { PAIR_SECTIONS = 8, MOST_SECTIONS = 5, PALETTES = 12 };

static const struct palette palettes[PALETTES] = {
    {"Drifting", 1.0, 0, .0, .05, 3.0},     {"Opening", 1.05, 2, .08, .0, 2.4},
    {"Hovering", .9, 3, .02, .1, 4.0},      {"Deepening", .9, -4, -.1, .08, 4.4},
    {"Glimmering", 1.2, 4, .12, .04, 2.0},  {"Settling", .85, -2, -.06, .02, 3.6},
    {"Unfolding", 1.1, 1, .04, .0, 2.6},    {"Floating", .95, 2, .0, .12, 4.2},
    {"Receding", .85, -3, -.08, .12, 5.0},  {"Warming", 1.05, -1, .06, -.04, 2.8},
    {"Listening", .88, 0, -.04, .06, 3.4},  {"Dissolving", .92, 1, -.02, .14, 4.8},
};

static int form_section_count(uint64_t seed, uint64_t super)
{
    int shift = (int)random_below(seed, PURPOSE_SECTION_COUNT, super / 2, 3) - 1;
    return PAIR_SECTIONS / 2 + (super % 2 == 0 ? shift : -shift);
}

// Relative lengths within 1 : 2 keep three to five parts of 20 minutes between 2 and 10 minutes.
static uint64_t form_weight(uint64_t seed, uint64_t super, int part)
{
    return 1000 + random_below(seed, PURPOSE_SECTION_LENGTH, super * MOST_SECTIONS + (uint64_t)part, 1000);
}

static uint64_t form_cut(uint64_t seed, uint64_t super, int count, int part)
{
    uint64_t before = 0, all = 0;
    for (int i = 0; i < count; i++) {
        uint64_t weight = form_weight(seed, super, i);
        before += i < part ? weight : 0;
        all += weight;
    }
    return super * SUPER_FRAMES + frames_round_down(SUPER_FRAMES * before / all, CHUNK_FRAMES);
}

// Neighbours never share a palette: each index steps on by 1 .. PALETTES-1 from a hashed place in its group of
// sections.
static const struct palette *form_palette(uint64_t seed, uint32_t index)
{
    uint32_t stride = (uint32_t[]){1, 5, 7, 11}[random_below(seed, PURPOSE_PALETTE, 0, 4)];
    uint32_t offset = random_below(seed, PURPOSE_PALETTE, 1, PALETTES);
    return &palettes[(offset + index % PALETTES * stride) % PALETTES];
}

struct section section_at(uint64_t seed, uint64_t frame)
{
    uint64_t super = frame / SUPER_FRAMES;
    int count = form_section_count(seed, super);
    int part = 0;
    while (part + 1 < count && form_cut(seed, super, count, part + 1) <= frame)
        part++;
    uint64_t before = super / 2 * PAIR_SECTIONS;
    if (super % 2 == 1)
        before += (uint64_t)form_section_count(seed, super - 1);
    uint32_t index = (uint32_t)before + (uint32_t)part;
    return (struct section){
        .from = form_cut(seed, super, count, part),
        .to = form_cut(seed, super, count, part + 1),
        .index = index,
        .palette = form_palette(seed, index),
    };
}
