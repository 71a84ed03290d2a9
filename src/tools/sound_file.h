// Sound files by extension: .wav, .flac, .opus.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"

struct sound_file;

enum sound_depth { SOUND_S16, SOUND_S24, SOUND_FLOAT };

// Creates the file, named PATH.part until it is closed: what ends too early never looks whole. Samples at 16 bits are
// rounded exactly as a PCM listener gets them. Opus takes 48 kHz only, chooses its own depth and has 128 kb/s.
//   frames: how many are to come, at most: a .wav that would have 4 GiB, more than a WAV can tell, is an RF64.
//   failure: out, what is wrong in words, when the answer is not STATUS_OK.
// Errors: STATUS_INVALID (extension, or a depth that the format does not have), STATUS_IO (a directory of this name as
// well), STATUS_MEMORY.
MUST_USE enum status sound_file_create(struct sound_file **file, const char *path, int rate_hz, enum sound_depth depth,
                                       uint64_t frames, struct text *failure);
// From now on SIGHUP, SIGINT and SIGTERM remove what there is of it before they end the process, unless they are
// ignored. For one file at a time.
void sound_file_guard(const struct sound_file *file);
// stereo: interleaved.   Errors: STATUS_IO; STATUS_FULL: it is a WAV, and more than was said is too much for it. What
// it had before stands.
MUST_USE enum status sound_file_write(struct sound_file *file, const float *stereo, size_t frames);
// Completes the file and gives it its name, instead of a file that had it. Accepts NULL.
//   failure: out, why not, in words, when the answer is not STATUS_OK.
// Errors: STATUS_IO: it could not be written now or before, and is gone.
MUST_USE enum status sound_file_close(struct sound_file *file, struct text *failure);
// Removes what there is of it. Accepts NULL.   failure: out, why it could not be written, if that was so.
void sound_file_discard(struct sound_file *file, struct text *failure);
