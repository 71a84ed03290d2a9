// What composers bring, one function a layer. Each adds what falls into the range of the list, and nothing depends on
// where that range is cut.
#pragma once
#include "compose/events.h"

// Notes of melody, percussion and loops end by themselves; none holds longer than this.
enum { LAYERS_LONGEST_HOLD = 8 * FRAME_RATE, TEXTURE_LONGEST_HOLD = 40 * FRAME_RATE };

void melody_compose(const struct program *program, struct events *events);
void percussion_compose(const struct program *program, struct events *events);
void loops_compose(const struct program *program, struct events *events);
// Beds of weather, one after the other; none holds longer than TEXTURE_LONGEST_HOLD.
void texture_compose(const struct program *program, struct events *events);
// The tonic, low and long: from the start of a section or a change of key to the next of these.
void drone_compose(const struct program *program, struct events *events);
// The drone that began before the range and ends in it or later.
void drone_sounding(const struct program *program, uint64_t frame, struct events *events);
// Chords as events, and the notes of the pads.
void pads_compose(const struct program *program, struct events *events);
// The pad notes that began before the range and end in it or later, and the chord that they belong to.
void pads_sounding(const struct program *program, uint64_t frame, struct events *events);
void mix_compose(const struct program *program, struct events *events);
struct mix mix_at(const struct program *program, uint64_t frame);
