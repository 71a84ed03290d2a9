#include "store/preset_name.h"

#include <stdint.h>

#include "store/store.h"

// Bytes that follow the first one; -1 when no character begins so.
static int preset_name_following(unsigned char first)
{
    if (first < 0x80)
        return 0;
    if (first >= 0xc2 && first < 0xe0)
        return 1;
    if (first >= 0xe0 && first < 0xf0)
        return 2;
    return first >= 0xf0 && first < 0xf5 ? 3 : -1;
}

// The character at *at, which then moves behind it; -1 when it is not UTF-8 (overlong, surrogate, cut off).
static int32_t preset_name_next(const unsigned char **at)
{
    static const int32_t least[] = {0, 0x80, 0x800, 0x10000};
    int following = preset_name_following(**at);
    if (following < 0)
        return -1;
    int32_t character = following == 0 ? **at : **at & (0x3f >> following);
    for (int i = 1; i <= following; i++) {
        if (((*at)[i] & 0xc0) != 0x80)
            return -1;
        character = character << 6 | ((*at)[i] & 0x3f);
    }
    *at += following + 1;
    bool surrogate = character >= 0xd800 && character < 0xe000;
    return character < least[following] || character > 0x10ffff || surrogate ? -1 : character;
}

bool preset_name_is_valid(const char *name)
{
    const unsigned char *at = (const unsigned char *)name;
    int count = 0;
    while (*at) {
        int32_t character = preset_name_next(&at);
        if (character < 0x20 || (character >= 0x7f && character < 0xa0) || ++count > STORE_PRESET_NAME_CHARS)
            return false;
    }
    return count > 0;
}
