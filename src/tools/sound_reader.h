// Reads sound files: WAV, FLAC, Ogg Opus and what else libsndfile knows, 48 kHz stereo only.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"

struct sound_reader;

// Opens the file and goes to from_frame of it.
//   failure: out, what is wrong in words, when the answer is not STATUS_OK.
// Errors: STATUS_IO (not there, no sound file), STATUS_INVALID (another rate, not stereo, from_frame is not within),
// STATUS_MEMORY.
MUST_USE enum status sound_reader_open(struct sound_reader **reader, const char *path, uint64_t from_frame,
                                       struct text *failure);
// Frames that are left.
uint64_t sound_reader_frames(const struct sound_reader *reader);
// It went through a lossy codec.
bool sound_reader_is_lossy(const struct sound_reader *reader);
// stereo: out, interleaved. Returns how many frames there were; fewer than asked for at the end and where the file
// cannot be read on.
size_t sound_reader_read(struct sound_reader *reader, float *stereo, size_t frames);
// Accepts NULL.
void sound_reader_close(struct sound_reader *reader);
