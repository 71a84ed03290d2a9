// Any bytes as a Scala file: what is read can be played in any key, what is refused changes nothing and names the line.
#include "score/scala.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_tuning(const struct tuning *tuning)
{
    check(strcmp(tuning->name, "scala") == 0 && tuning->offset_cents[0] == 0);
    check(strnlen(tuning->title, sizeof tuning->title) < sizeof tuning->title);
    for (const char *at = tuning->title; *at; at++)
        check(*at >= ' ' && *at <= '~');
    for (int midi = 0; midi < 128; midi++) {
        double pitch = tuning_pitch(tuning, midi % 7, midi);
        check(fabs(pitch - midi) <= 6.000001);
        check(fabs(tuning_pitch(tuning, midi % 7, midi + 12) - pitch - 12) < 1e-9);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char message[200];
    struct text failure = text_on(message, sizeof message);
    struct tuning tuning, before;
    memset(&tuning, 0x55, sizeof tuning);
    before = tuning;
    enum status status = scala_read((const char *)data, size, &tuning, &failure);
    check(status == STATUS_OK || status == STATUS_INVALID);
    check((status == STATUS_OK) == (failure.len == 0) && !failure.full);
    if (status == STATUS_OK) {
        fuzz_tuning(&tuning);
    } else {
        check(strncmp(message, "line ", 5) == 0);
        check(memcmp(&tuning, &before, sizeof tuning) == 0);
    }
    return 0;
}
