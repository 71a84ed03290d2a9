// Command lines by table: one row makes the parser, the default, the error message and the help of an option.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/text.h"

// The kind says what type the field in the target struct has.
enum argument_kind {
    ARGUMENT_FLAG,      // bool; takes no value, or `=on`, `=off`
    ARGUMENT_INTEGER,   // int64_t, min .. max
    ARGUMENT_SEED,      // uint64_t, decimal, the whole range
    ARGUMENT_NUMBER,    // double, finite, min .. max
    ARGUMENT_TEXT,      // const char *, not empty; points into argv
    ARGUMENT_CHOICE,    // const char *, one of `choices`; points into argv
    ARGUMENT_LIST,      // struct argument_list; may be given again and again
    ARGUMENT_POSITION,  // const char *; has no name on the command line, taken in the order of the table
    ARGUMENT_REST,      // struct argument_list; all positions from here on, one at least; the last of them
};

enum { ARGUMENT_LIST_MAX = 32 };

struct argument_list {
    const char *items[ARGUMENT_LIST_MAX];  // point into argv
    int count;
};

struct argument {
    const char *name;      // "listeners"; of a position: what help calls it
    enum argument_kind kind;
    size_t offset;         // of its field in the target struct
    const char *value;     // what help calls its value: "N"; NULL for flags and positions
    const char *standard;  // default as it would be typed; NULL: must be given when it is a position, else 0 or NULL
    double min, max;       // integers and numbers
    const char *choices;   // "opus|pcm"
    const char *help;      // a phrase without a full stop
};

struct argument_table {
    const char *usage;     // "auralis listen [options] URL"
    const char *about;     // one or more sentences
    const struct argument *rows;
    int count;
};

enum arguments_result { ARGUMENTS_OK, ARGUMENTS_HELP, ARGUMENTS_BAD };

// Fills the target struct: first all defaults, then argv[1] on. `--name value`, `--name=value`; `--` ends the options;
// the last of several wins. A value that begins with `--` needs the form with `=`.
//   error: out, for ARGUMENTS_BAD: names the option, what was given and the rule.
// Returns ARGUMENTS_HELP as soon as it meets -h or --help.
enum arguments_result arguments_read(const struct argument_table *table, int argc, char **argv, void *target,
                                     struct text *error);
// Usage, what it is about, one entry a row with range and default, wrapped at 80 columns.
void arguments_help(const struct argument_table *table, FILE *out);
// What every command does first: reads; prints help to stdout or the error, one line, to stderr. argv[0] is its name.
// True to go on; else *exit_status is what the command returns: 0 after help, 2 after an error.
bool arguments_begin(const struct argument_table *table, int argc, char **argv, void *target, int *exit_status);

// The parts, for tables of another make. False when `text` is not such a value in range.
bool argument_integer(const char *text, double min, double max, int64_t *value);
bool argument_seed(const char *text, uint64_t *value);
bool argument_number(const char *text, double min, double max, double *value);
// `text` is one of "a|b|c".
bool argument_choice(const char *text, const char *choices);
