// Control logs, from servers and files: what is taken can be played at any frame, what is refused is said in words.
#include <string.h>

#include "base/check.h"
#include "tools/score_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_log(const struct mood_log *log)
{
    check(log->count > 0 && log->entries[0].at_frame == 0);
    for (size_t i = 0; i < log->count; i++) {
        uint64_t at = log->entries[i].at_frame;
        const struct mood_entry *entry = mood_log_at(log, at);
        check(entry->at_frame == at);
        check(mood_log_frame_of_beats(log, mood_log_beats(log, at)) <= at);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char message[200];
    struct text failure = text_on(message, sizeof message);
    struct score_file score;
    enum status status = score_file_read(&score, (const char *)data, size, &failure);
    check(status == STATUS_OK || status == STATUS_INVALID);
    check((status == STATUS_OK) == (failure.len == 0));
    if (status == STATUS_OK)
        fuzz_log(&score.log);
    score_file_finish(&score);
    return 0;
}
