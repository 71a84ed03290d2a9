// Every instrument, and the whole state of a chain.
#pragma once
#include "synth/instruments/bar.h"
#include "synth/instruments/bell.h"
#include "synth/instruments/bowl.h"
#include "synth/instruments/choir.h"
#include "synth/instruments/drone.h"
#include "synth/instruments/grain.h"
#include "synth/instruments/kick.h"
#include "synth/instruments/modular.h"
#include "synth/instruments/pad.h"
#include "synth/instruments/pluck.h"
#include "synth/instruments/rain.h"
#include "synth/instruments/sea.h"
#include "synth/instruments/swell.h"
#include "synth/instruments/vinyl.h"
#include "synth/instruments/wind.h"

struct synth_state {
    alignas(64) uint64_t input_frame;
    uint64_t faults;
    uint32_t failed;                 // the renderer failed: nothing but silence comes from here on
    struct mix_state mix;
#define INSTRUMENT(ID, name, lanes) alignas(64) struct name name[(lanes) / LANES];
#include "score/instruments.def"
#undef INSTRUMENT
    alignas(64) struct chorus chorus;
    alignas(64) struct echo echo;
    alignas(64) struct reverb reverb;
    alignas(64) struct shimmer shimmer;
    alignas(64) struct mastering mastering;
};

#define INSTRUMENT(ID, name, lanes_) \
    _Static_assert((lanes_) % LANES == 0 && (lanes_) <= INSTRUMENT_LANES_MAX, "whole groups"); \
    _Static_assert(offsetof(struct name, lanes) == 0, "the lanes come first");
#include "score/instruments.def"
#undef INSTRUMENT
_Static_assert(sizeof(struct synth_state) % 64 == 0 && sizeof(struct synth_state) <= 1 << 20, "flat and at most 1 MiB");
