#include "control/history.h"

#include <string.h>

static void history_push(struct history *history, const struct control_change *change, uint8_t place)
{
    if (history->applied == CONTROL_HISTORY) {
        memmove(history->changes, history->changes + 1, (CONTROL_HISTORY - 1) * sizeof *history->changes);
        memmove(history->place, history->place + 1, (CONTROL_HISTORY - 1) * sizeof *history->place);
        history->applied--;
    }
    history->changes[history->applied] = *change;
    history->place[history->applied] = place;
    history->count = ++history->applied;
}

void history_add(struct history *history, uint64_t timestamp_ms, const struct mood *before, const struct mood *after,
                 enum control_source source)
{
    uint32_t changed = mood_difference(before, after);
    uint8_t place = 0;
    for (int id = 0; id < MOOD_PARAMETERS; id++) {
        if (!(changed >> id & 1))
            continue;
        struct control_change change = {timestamp_ms, (enum mood_id)id, *before, *after, source};
        history_push(history, &change, place++);
    }
}

int history_back(const struct history *history)
{
    for (int at = history->applied - 1; at >= 0; at--)
        if (history->place[at] == 0)
            return at;
    return -1;
}

int history_forward(const struct history *history)
{
    if (history->applied == history->count)
        return -1;
    int at = history->applied + 1;
    while (at < history->count && history->place[at] > 0)
        at++;
    return at;
}
