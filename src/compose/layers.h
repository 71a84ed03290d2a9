// What composers bring, one function a layer. Each adds what falls into the range of the list, and nothing depends on
// where that range is cut.
#pragma once
#include "compose/events.h"

// Notes of these layers end by themselves; none holds longer than this.
enum { LAYERS_LONGEST_HOLD = 8 * FRAME_RATE };

void melody_compose(const struct program *program, struct events *events);
void percussion_compose(const struct program *program, struct events *events);
// Chords as events, and the notes of the pads.
void pads_compose(const struct program *program, struct events *events);
// The pad notes that began before the range and end in it or later, and the chord that they belong to.
void pads_sounding(const struct program *program, uint64_t frame, struct events *events);
void mix_compose(const struct program *program, struct events *events);
struct mix mix_at(const struct program *program, uint64_t frame);
