// The options of `auralis serve`: from a file, the environment and the command line, by the table in options.def.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "net/forwarded.h"
#include "score/tuning.h"
#include "tools/arguments.h"

struct options {
#define OPTION_TEXT(field, ...) const char *field;
#define OPTION_INTEGER(field, ...) int64_t field;
#define OPTION_NUMBER(field, ...) double field;
#define OPTION_CHOICE OPTION_TEXT
#define OPTION_FLAG(field, ...) bool field;
#define OPTION_LIST(field, ...) struct argument_list field;
#include "app/options.def"
#undef OPTION_TEXT
#undef OPTION_INTEGER
#undef OPTION_NUMBER
#undef OPTION_CHOICE
#undef OPTION_FLAG
#undef OPTION_LIST
    // Worked out of the above.
    char address[64];
    uint16_t port;
    uint64_t lead_frames, seed_value;
    struct forwarded_proxies proxies;
    const char *origins[ARGUMENT_LIST_MAX + 1], *hosts[ARGUMENT_LIST_MAX + 1];  // NULL-terminated
    struct tuning scala_tuning;
    char home_data_dir[512];
    char storage[8192];  // texts that came from the file or the environment
};

// Reads them all and checks what the table cannot. False: the command is to return *exit_status, everything has been
// said. argv[0] is the command's name. Texts point into argv or into
// *options itself, which has to stay where it is.
bool options_read(int argc, char **argv, struct options *options, int *exit_status);
// "127.0.0.1:8000", "[::1]:8000" -> address and port. False when it is neither.
bool options_parse_listen(const char *text, char *address, size_t cap, uint16_t *port);
