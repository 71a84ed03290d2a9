// The rule for names of presets.
#pragma once
#include <stdbool.h>

// `name` is UTF-8 without control characters, 1 to STORE_PRESET_NAME_CHARS characters, ended by a zero within
// STORE_PRESET_NAME_BYTES.
bool preset_name_is_valid(const char *name);
