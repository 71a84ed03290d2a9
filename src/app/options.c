#include "app/options.h"

#include <ctype.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/frames.h"
#include "os/file.h"
#include "score/scene.h"
#include "synth/backend.h"
#include "tools/scala_file.h"

static const struct argument option_rows[] = {
#define OPTION_ROW(field, flag, kind, what, standard, ...) \
    {flag, kind, offsetof(struct options, field), what, standard, __VA_ARGS__},
#define OPTION_TEXT(field, flag, standard, what, help) \
    OPTION_ROW(field, flag, ARGUMENT_TEXT, what, standard, 0, 0, NULL, help)
#define OPTION_INTEGER(field, flag, min, max, standard, what, help) \
    OPTION_ROW(field, flag, ARGUMENT_INTEGER, what, standard, min, max, NULL, help)
#define OPTION_NUMBER(field, flag, min, max, standard, what, help) \
    OPTION_ROW(field, flag, ARGUMENT_NUMBER, what, standard, min, max, NULL, help)
#define OPTION_CHOICE(field, flag, standard, choices, help) \
    OPTION_ROW(field, flag, ARGUMENT_CHOICE, choices, standard, 0, 0, choices, help)
#define OPTION_FLAG(field, flag, help) OPTION_ROW(field, flag, ARGUMENT_FLAG, NULL, NULL, 0, 0, NULL, help)
#define OPTION_LIST(field, flag, what, help) OPTION_ROW(field, flag, ARGUMENT_LIST, what, NULL, 0, 0, NULL, help)
#include "app/options.def"
};
enum { OPTION_ROWS = sizeof option_rows / sizeof *option_rows, OPTION_MAX_WORDS = 256, OPTION_FILE_BYTES = 65536,
       OPTIONS_FAILURE_BYTES = 512 };

static const struct argument_table option_table = {
    .usage = "auralis serve [options]",
    .about = "Composes, plays and streams: open the address that it prints in a browser. Every option is also a "
             "variable (AURALIS_DATA_DIR for --data-dir) and a line of the configuration file (data-dir = ...); a flag "
             "beats a variable, a variable beats the file.",
    .rows = option_rows,
    .count = OPTION_ROWS,
};

// All sources become one command line, the weakest first, so that one parser reads and checks them.
struct option_words {
    char *words[OPTION_MAX_WORDS];
    int count;
    char *room;           // where the words that are not in argv stand
    size_t room_left;
    char fault[256];      // what was wrong with a line of the configuration file
};

static bool options_add_word(struct option_words *words, const char *flag, const char *value)
{
    int len = snprintf(words->room, words->room_left, "--%s=%s", flag, value);
    if (words->count == OPTION_MAX_WORDS || len < 0 || (size_t)len >= words->room_left)
        return false;
    words->words[words->count++] = words->room;
    words->room += len + 1;
    words->room_left -= (size_t)len + 1;
    return true;
}

// Weaker sources are checked as they are read, so that a fault is told together with where it stands.
static bool options_take(struct option_words *words, const char *flag, const char *value)
{
    struct options alone;
    struct text fault = text_on(words->fault, sizeof words->fault);
    if (!options_add_word(words, flag, value)) {
        text_add(&fault, "too many options, or too long ones");
        return false;
    }
    char *argv[] = {"serve", words->words[words->count - 1], NULL};
    return arguments_read(&option_table, 2, argv, &alone, &fault) == ARGUMENTS_OK;
}

static const struct argument *option_find(const char *flag)
{
    for (int i = 0; i < OPTION_ROWS; i++)
        if (strcmp(option_rows[i].name, flag) == 0)
            return &option_rows[i];
    return NULL;
}

// One line of the configuration file, called by the INI parser. Returns 0 to stop it.
static int options_add_line(void *user, const char *section, const char *name, const char *value)
{
    struct option_words *words = user;
    if (!*section && option_find(name) && strcmp(name, "config") != 0)
        return options_take(words, name, value);
    snprintf(words->fault, sizeof words->fault, *section ? "there are no sections, but a [%s]" : "unknown option %s",
             *section ? section : name);
    return 0;
}

// Into `out`: "AURALIS_DATA_DIR" for "data-dir".
static void option_variable_name(const char *flag, char *out, size_t cap)
{
    size_t at = (size_t)snprintf(out, cap, "AURALIS_");
    for (; *flag && at + 1 < cap; flag++, at++)
        out[at] = *flag == '-' ? '_' : (char)toupper((unsigned char)*flag);
    out[at] = '\0';
}

static const char *option_variable(const char *flag)
{
    char name[64];
    option_variable_name(flag, name, sizeof name);
    return getenv(name);
}

// The configuration file must be known before the rest is read.
static const char *options_config_path(int argc, char **argv)
{
    const char *path = option_variable("config");
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--config=", 9) == 0)
            path = argv[i] + 9;
        else if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            path = argv[i + 1];
    }
    return path;
}

// At most so much is read: a device that never ends is no configuration file.
static bool options_add_file(struct option_words *words, const char *path)
{
    char bytes[OPTION_FILE_BYTES];
    size_t len;
    enum status status = file_read(path, bytes, sizeof bytes, &len);
    if (status == STATUS_OK && memchr(bytes, '\0', len))
        status = STATUS_INVALID;
    if (status != STATUS_OK) {
        fprintf(stderr, "auralis serve: cannot read the configuration file %s: %s\n", path,
                status == STATUS_FULL ? "it has more than 64 KiB" : status_text(status));
        return false;
    }
    int line = ini_parse_string(bytes, options_add_line, words);
    if (line == 0)
        return true;
    fprintf(stderr, "auralis serve: %s, line %d: %s\n", path, line,
            *words->fault ? words->fault : "not a line of the form `flag = value`");
    return false;
}

static bool options_add_variables(struct option_words *words)
{
    for (int i = 0; i < OPTION_ROWS; i++) {
        const char *value = option_variable(option_rows[i].name);
        if (!value || !*value || options_take(words, option_rows[i].name, value))
            continue;
        char name[64];
        option_variable_name(option_rows[i].name, name, sizeof name);
        fprintf(stderr, "auralis serve: %s: %s\n", name, words->fault);
        return false;
    }
    return true;
}

static bool option_has_variable(const char *name, size_t len)
{
    char known[64];
    for (int i = 0; i < OPTION_ROWS; i++) {
        option_variable_name(option_rows[i].name, known, sizeof known);
        if (strlen(known) == len && memcmp(name, known, len) == 0)
            return true;
    }
    return false;
}

// A variable that means nothing is most often one that is misspelt.
static void options_warn_of_variables(void)
{
    for (char **at = environ; *at; at++) {
        size_t len = strcspn(*at, "=");
        if (strncmp(*at, "AURALIS_", 8) == 0 && !option_has_variable(*at, len))
            fprintf(stderr, "auralis serve: the variable %.*s is ignored: there is no such option\n", (int)len, *at);
    }
}

static bool options_gather(int argc, char **argv, struct option_words *words)
{
    words->words[words->count++] = argv[0];
    const char *path = options_config_path(argc, argv);
    if (path && *path && !options_add_file(words, path))
        return false;
    options_warn_of_variables();
    if (!options_add_variables(words))
        return false;
    for (int i = 1; i < argc; i++) {
        if (words->count == OPTION_MAX_WORDS) {
            fprintf(stderr, "auralis serve: too many options\n");
            return false;
        }
        words->words[words->count++] = argv[i];
    }
    return true;
}

bool options_parse_listen(const char *text, char *address, size_t cap, uint16_t *port)
{
    const char *colon = strrchr(text, ':');
    if (!colon || colon == text)
        return false;
    const char *from = text, *to = colon;
    if (*from == '[') {
        if (to[-1] != ']')
            return false;
        from++;
        to--;
    } else if (memchr(from, ':', (size_t)(to - from))) {
        return false;
    }
    int64_t number;
    if (!argument_integer(colon + 1, 0, 65535, &number) || from == to || (size_t)(to - from) >= cap)
        return false;
    memcpy(address, from, (size_t)(to - from));
    address[to - from] = '\0';
    *port = (uint16_t)number;
    return true;
}

static void options_list_scenes(void)
{
    for (int i = 0; i < scene_count; i++)
        printf("%-12s %s\n", scenes[i].name, scenes[i].line);
}

static bool options_check_names(const struct options *options)
{
    if (options->scene && !scene_find(options->scene)) {
        fprintf(stderr, "auralis serve: --scene: there is no '%.40s'; `--scene list` names them\n",
                options->scene);
        return false;
    }
    if (options->simd && !backend_find(options->simd)) {
        fprintf(stderr, "auralis serve: --simd: this machine or build has no '%.20s'; there are", options->simd);
        for (const struct backend *const *at = backend_list(); *at; at++)
            if ((*at)->available())
                fprintf(stderr, " %s", (*at)->name);
        fputc('\n', stderr);
        return false;
    }
    return true;
}

// $XDG_DATA_HOME/auralis, or ~/.local/share/auralis.
static bool options_default_data_dir(struct options *options)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    if (data && *data)
        snprintf(options->home_data_dir, sizeof options->home_data_dir, "%s/auralis", data);
    else if (home && *home)
        snprintf(options->home_data_dir, sizeof options->home_data_dir, "%s/.local/share/auralis", home);
    else {
        fprintf(stderr, "auralis serve: there is no home directory to keep data in; use --data-dir DIR\n");
        return false;
    }
    options->data_dir = options->home_data_dir;
    return true;
}

static bool options_check_tls(const struct options *options)
{
    if (!options->tls_cert != !options->tls_key) {
        fprintf(stderr, "auralis serve: --tls-cert and --tls-key belong together: there is no --tls-%s\n",
                options->tls_cert ? "key" : "cert");
        return false;
    }
    if (options->tls_self_signed && options->tls_cert) {
        fprintf(stderr, "auralis serve: --tls-self-signed makes a certificate: it goes without --tls-cert\n");
        return false;
    }
    return true;
}

static bool options_read_proxies(struct options *options)
{
    _Static_assert((int)FORWARDED_MAX_PROXIES >= (int)ARGUMENT_LIST_MAX, "all that can be given have room");
    const struct argument_list *given = &options->trusted_proxy;
    for (int i = 0; i < given->count; i++)
        if (!peer_read_range(given->items[i], &options->proxies.ranges[i])) {
            fprintf(stderr, "auralis serve: --trusted-proxy: '%.80s' is no address, such as 127.0.0.1, 10.0.0.0/8 or "
                    "2001:db8::/32\n", given->items[i]);
            return false;
        }
    options->proxies.count = given->count;
    return true;
}

static bool options_read_scala(struct options *options)
{
    char words[OPTIONS_FAILURE_BYTES];
    struct text failure = text_on(words, sizeof words);
    options->scala_tuning = tunings[TUNING_SCALA];
    if (!options->scala || scala_file_read(options->scala, &options->scala_tuning, &failure) == STATUS_OK)
        return true;
    fprintf(stderr, "auralis serve: %s\n", words);
    return false;
}

static bool options_complete(struct options *options)
{
    options->lead_frames = (uint64_t)options->lead_s * FRAME_RATE;
    memcpy(options->origins, options->allow_origin.items, sizeof options->allow_origin.items);
    memcpy(options->hosts, options->allow_host.items, sizeof options->allow_host.items);
    if (!options_parse_listen(options->listen, options->address, sizeof options->address, &options->port)) {
        fprintf(stderr, "auralis serve: --listen: '%.80s' is not ADDR:PORT, such as 127.0.0.1:8000 or [::1]:8000\n",
                options->listen);
        return false;
    }
    if (options->seed && !argument_seed(options->seed, &options->seed_value)) {
        fprintf(stderr, "auralis serve: --seed: '%.40s' is not allowed: a whole number from 0 to "
                "18446744073709551615\n",
                options->seed);
        return false;
    }
    return options_check_names(options) && options_read_scala(options) && options_check_tls(options) &&
           options_read_proxies(options) && (options->data_dir || options_default_data_dir(options));
}

bool options_read(int argc, char **argv, struct options *options, int *exit_status)
{
    *options = (struct options){0};
    struct option_words words = {.room = options->storage, .room_left = sizeof options->storage};
    *exit_status = 2;
    if (!options_gather(argc, argv, &words))
        return false;
    if (!arguments_begin(&option_table, words.count, words.words, options, exit_status))
        return false;
    *exit_status = 2;
    if (options->scene && strcmp(options->scene, "list") == 0) {
        options_list_scenes();
        *exit_status = 0;
        return false;
    }
    return options_complete(options);
}
