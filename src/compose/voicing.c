#include "compose/voicing.h"

#include <stdlib.h>

enum { C3 = 48, BASS_GAP = 7, LOW_GAP = 5, HIGH_GAP = 3, WIDEST_GAP = 12, MOST_CHOICES = 12 };

// Where each voice lives.
static const struct {
    int low, middle, high;
} ranges[VOICING_VOICES] = {{36, 43, 50}, {48, 54, 59}, {53, 60, 66}, {58, 66, 74}};

// Costs are compared as integers: motion counts most, then the distance from the middle, then the bass.
enum { COST_MOTION = 6, COST_PLACE = 2, COST_BASS = 4, COST_NONE = 1 << 20 };

struct search {
    struct chord chord;
    const struct voicing *from, *towards;    // NULL: nothing to lead from, nowhere to lead to
    int choices[VOICING_VOICES][MOST_CHOICES];
    int count[VOICING_VOICES];
    int motion[VOICING_VOICES + 1];    // of the voices below
    struct voicing now, best;
    int best_cost;
};

int voicing_motion(struct voicing from, struct voicing to)
{
    int motion = 0;
    for (int i = 0; i < VOICING_VOICES; i++)
        motion += abs(from.pitch[i] - to.pitch[i]);
    return motion;
}

// Two voices an octave, or none, apart before and after have moved together.
static bool voicing_parallel(struct voicing from, struct voicing to)
{
    for (int i = 0; i < VOICING_VOICES; i++)
        for (int k = i + 1; k < VOICING_VOICES; k++)
            if ((from.pitch[k] - from.pitch[i]) % 12 == 0 && (to.pitch[k] - to.pitch[i]) % 12 == 0 &&
                from.pitch[i] != to.pitch[i] && from.pitch[k] != to.pitch[k])
                return true;
    return false;
}

bool voicing_leads(struct voicing from, struct voicing to)
{
    return voicing_motion(from, to) <= VOICING_MAX_MOTION && !voicing_parallel(from, to);
}

static unsigned voicing_tones(struct voicing voicing)
{
    unsigned tones = 0;
    for (int i = 0; i < VOICING_VOICES; i++)
        tones |= 1u << voicing.pitch[i] % 12;
    return tones;
}

static int search_cost(const struct search *search)
{
    int cost = 0;
    for (int i = 0; i < VOICING_VOICES; i++)
        cost += COST_PLACE * abs(search->now.pitch[i] - ranges[i].middle);
    if (search->now.pitch[0] % 12 != search->chord.root)
        cost += COST_BASS;
    return cost + COST_MOTION * search->motion[VOICING_VOICES];
}

static void search_judge(struct search *search)
{
    if (voicing_tones(search->now) != search->chord.tones)
        return;
    if (search->from && !voicing_leads(*search->from, search->now))
        return;
    if (search->towards && !voicing_leads(search->now, *search->towards))
        return;
    int cost = search_cost(search);
    if (cost < search->best_cost) {
        search->best_cost = cost;
        search->best = search->now;
    }
}

static bool search_gap_fits(const struct search *search, int voice, int pitch)
{
    if (voice == 0)
        return true;
    int below = search->now.pitch[voice - 1];
    int least = voice == 1 ? BASS_GAP : below < C3 ? LOW_GAP : HIGH_GAP;
    return pitch - below >= least && (voice == 1 || pitch - below <= WIDEST_GAP);
}

// Sets a voice to a pitch if the voices below allow it.
static bool search_set(struct search *search, int voice, int pitch)
{
    if (!search_gap_fits(search, voice, pitch))
        return false;
    int motion = search->from ? abs(pitch - search->from->pitch[voice]) : 0;
    search->motion[voice + 1] = search->motion[voice] + motion;
    search->now.pitch[voice] = (uint8_t)pitch;
    return search->motion[voice + 1] <= VOICING_MAX_MOTION;
}

static void search_run(struct search *search)
{
    int at[VOICING_VOICES] = {0};
    for (int voice = 0; voice >= 0;) {
        if (at[voice] == search->count[voice]) {
            at[voice--] = 0;
            continue;
        }
        if (!search_set(search, voice, search->choices[voice][at[voice]++]))
            continue;
        if (voice == VOICING_VOICES - 1)
            search_judge(search);
        else
            voice++;
    }
}

// The bass takes a tone of the triad, never a second or a fourth over the root.
static bool search_bass_may(struct chord chord, int pitch)
{
    int above = (pitch + 12 - chord.root) % 12;
    return above == 0 || above == 3 || above == 4 || above == 7;
}

// One voice alone does not take more than all the motion of a change.
static bool search_near(const struct search *search, int voice, int pitch)
{
    return (!search->from || abs(pitch - search->from->pitch[voice]) <= VOICING_MAX_MOTION) &&
           (!search->towards || abs(pitch - search->towards->pitch[voice]) <= VOICING_MAX_MOTION);
}

static void search_collect(struct search *search)
{
    for (int voice = 0; voice < VOICING_VOICES; voice++) {
        for (int pitch = ranges[voice].low; pitch <= ranges[voice].high; pitch++) {
            bool tone = search->chord.tones >> pitch % 12 & 1;
            if (tone && (voice > 0 || search_bass_may(search->chord, pitch)) && search_near(search, voice, pitch))
                search->choices[voice][search->count[voice]++] = pitch;
        }
    }
}

static bool search_find(struct search *search, struct voicing *to)
{
    search->best_cost = COST_NONE;
    search_collect(search);
    search_run(search);
    *to = search->best;
    return search->best_cost < COST_NONE;
}

struct voicing voicing_home(struct chord chord)
{
    struct voicing home;
    search_find(&(struct search){.chord = chord}, &home);
    return home;
}

bool voicing_lead(struct voicing from, struct chord chord, const struct voicing *towards, struct voicing *to)
{
    return search_find(&(struct search){.chord = chord, .from = &from, .towards = towards}, to);
}
