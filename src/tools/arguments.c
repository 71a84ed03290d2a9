#include "tools/arguments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

bool argument_integer(const char *text, double min, double max, int64_t *value)
{
    const char *digits = text + (*text == '-');
    if (*digits == '\0' || strspn(digits, "0123456789") != strlen(digits))
        return false;
    errno = 0;
    long long read = strtoll(text, NULL, 10);
    if (errno != 0 || (double)read < min || (double)read > max)
        return false;
    *value = read;
    return true;
}

bool argument_seed(const char *text, uint64_t *value)
{
    if (*text == '\0' || strspn(text, "0123456789") != strlen(text))
        return false;
    errno = 0;
    unsigned long long read = strtoull(text, NULL, 10);
    if (errno != 0)
        return false;
    *value = read;
    return true;
}

// The set of characters keeps out what strtod would take besides decimal numbers: "nan", "inf", "0x1p3", blanks.
bool argument_number(const char *text, double min, double max, double *value)
{
    if (*text == '\0' || strspn(text, "0123456789.eE+-") != strlen(text))
        return false;
    char *end;
    double read = strtod(text, &end);
    if (end == text || *end != '\0' || !(read >= min && read <= max))
        return false;
    *value = read;
    return true;
}

bool argument_choice(const char *text, const char *choices)
{
    size_t len = strlen(text);
    for (const char *at = choices; len > 0; at++) {
        size_t part = strcspn(at, "|");
        if (part == len && memcmp(at, text, len) == 0)
            return true;
        at += part;
        if (*at == '\0')
            return false;
    }
    return false;
}

static bool argument_append(struct argument_list *list, const char *text)
{
    if (list->count == ARGUMENT_LIST_MAX || *text == '\0')
        return false;
    list->items[list->count++] = text;
    return true;
}

static bool argument_store(const struct argument *row, const char *text, void *target)
{
    void *field = (char *)target + row->offset;
    switch (row->kind) {
    case ARGUMENT_FLAG:
        *(bool *)field = !text || strcmp(text, "on") == 0;
        return *(bool *)field || strcmp(text, "off") == 0;
    case ARGUMENT_INTEGER: return argument_integer(text, row->min, row->max, field);
    case ARGUMENT_SEED: return argument_seed(text, field);
    case ARGUMENT_NUMBER: return argument_number(text, row->min, row->max, field);
    case ARGUMENT_LIST:
    case ARGUMENT_REST: return argument_append(field, text);
    case ARGUMENT_CHOICE:
        if (!argument_choice(text, row->choices))
            return false;
        break;
    case ARGUMENT_TEXT:
    case ARGUMENT_POSITION:
        if (*text == '\0')
            return false;
        break;
    }
    *(const char **)field = text;
    return true;
}

static void argument_clear(const struct argument *row, void *target)
{
    void *field = (char *)target + row->offset;
    switch (row->kind) {
    case ARGUMENT_FLAG: *(bool *)field = false; break;
    case ARGUMENT_INTEGER: *(int64_t *)field = 0; break;
    case ARGUMENT_SEED: *(uint64_t *)field = 0; break;
    case ARGUMENT_NUMBER: *(double *)field = 0; break;
    case ARGUMENT_LIST:
    case ARGUMENT_REST: ((struct argument_list *)field)->count = 0; break;
    case ARGUMENT_CHOICE:
    case ARGUMENT_TEXT:
    case ARGUMENT_POSITION: *(const char **)field = NULL; break;
    }
}

static void arguments_default(const struct argument_table *table, void *target)
{
    for (int i = 0; i < table->count; i++) {
        argument_clear(&table->rows[i], target);
        if (table->rows[i].standard)
            check(argument_store(&table->rows[i], table->rows[i].standard, target));
    }
}

// The rule that a value has to keep, in words.
static void argument_rule(const struct argument *row, struct text *out)
{
    switch (row->kind) {
    case ARGUMENT_INTEGER:
        text_printf(out, "a whole number from %.0f to %.0f", row->min, row->max);
        break;
    case ARGUMENT_SEED:
        text_add(out, "a whole number from 0 to 18446744073709551615");
        break;
    case ARGUMENT_NUMBER:
        text_printf(out, "a number from %.10g to %.10g", row->min, row->max);
        break;
    case ARGUMENT_CHOICE:
        text_printf(out, "one of %s", row->choices);
        break;
    case ARGUMENT_LIST:
    case ARGUMENT_REST:
        text_printf(out, "not empty, at most %d times", ARGUMENT_LIST_MAX);
        break;
    case ARGUMENT_FLAG:
        text_add(out, "on, off, or no value for on");
        break;
    case ARGUMENT_TEXT:
    case ARGUMENT_POSITION:
        text_add(out, "not empty");
        break;
    }
}

// Has no name on the command line.
static bool argument_is_position(const struct argument *row)
{
    return row->kind == ARGUMENT_POSITION || row->kind == ARGUMENT_REST;
}

// What was given is cut short, so that the rule always has room.
static enum arguments_result argument_refused(const struct argument *row, const char *given, struct text *error)
{
    text_printf(error, "%s%s: '%.40s' is not allowed: ", argument_is_position(row) ? "" : "--", row->name, given);
    argument_rule(row, error);
    return ARGUMENTS_BAD;
}

static const struct argument *argument_named(const struct argument_table *table, const char *name, size_t len)
{
    for (int i = 0; i < table->count; i++) {
        const struct argument *row = &table->rows[i];
        if (!argument_is_position(row) && strlen(row->name) == len && memcmp(row->name, name, len) == 0)
            return row;
    }
    return NULL;
}

// Reads the option at argv[*at] and moves *at past it.
static enum arguments_result argument_read_option(const struct argument_table *table, int argc, char **argv, int *at,
                                                  void *target, struct text *error)
{
    const char *given = argv[(*at)++] + 2;
    size_t len = strcspn(given, "=");
    const struct argument *row = argument_named(table, given, len);
    if (!row) {
        text_printf(error, "unknown option --%.*s", len > 40 ? 40 : (int)len, given);
        return ARGUMENTS_BAD;
    }
    const char *value = given[len] == '=' ? given + len + 1 : NULL;
    if (row->kind != ARGUMENT_FLAG && !value) {
        if (*at >= argc || strncmp(argv[*at], "--", 2) == 0) {
            text_printf(error, "--%s needs a value: ", row->name);
            argument_rule(row, error);
            return ARGUMENTS_BAD;
        }
        value = argv[(*at)++];
    }
    return argument_store(row, value, target) ? ARGUMENTS_OK : argument_refused(row, value, error);
}

// The position number `index`, NULL when there are not so many.
static const struct argument *argument_position(const struct argument_table *table, int index)
{
    for (int i = 0; i < table->count; i++) {
        const struct argument *row = &table->rows[i];
        if (row->kind == ARGUMENT_REST || (row->kind == ARGUMENT_POSITION && index-- == 0))
            return row;
    }
    return NULL;
}

static enum arguments_result argument_read_position(const struct argument_table *table, int index, const char *given,
                                                    void *target, struct text *error)
{
    const struct argument *row = argument_position(table, index);
    if (!row) {
        text_printf(error, "'%.40s' is one argument too many", given);
        return ARGUMENTS_BAD;
    }
    return argument_store(row, given, target) ? ARGUMENTS_OK : argument_refused(row, given, error);
}

static enum arguments_result arguments_complete(const struct argument_table *table, int positions, struct text *error)
{
    const struct argument *row = argument_position(table, positions);
    bool rest_begun = row && row->kind == ARGUMENT_REST && argument_position(table, positions - 1) == row;
    if (!row || row->standard || (positions > 0 && rest_begun))
        return ARGUMENTS_OK;
    text_printf(error, "%s is missing", row->name);
    return ARGUMENTS_BAD;
}

static bool argument_is_help(const char *text)
{
    return strcmp(text, "-h") == 0 || strcmp(text, "--help") == 0;
}

enum arguments_result arguments_read(const struct argument_table *table, int argc, char **argv, void *target,
                                     struct text *error)
{
    arguments_default(table, target);
    int positions = 0;
    bool options = true;
    for (int at = 1; at < argc;) {
        enum arguments_result result;
        if (options && argument_is_help(argv[at]))
            return ARGUMENTS_HELP;
        if (options && strcmp(argv[at], "--") == 0) {
            options = false;
            at++;
            continue;
        }
        if (options && strncmp(argv[at], "--", 2) == 0)
            result = argument_read_option(table, argc, argv, &at, target, error);
        else if (options && argv[at][0] == '-' && argv[at][1] != '\0') {
            text_printf(error, "unknown option %.40s", argv[at]);
            return ARGUMENTS_BAD;
        } else
            result = argument_read_position(table, positions++, argv[at++], target, error);
        if (result != ARGUMENTS_OK)
            return result;
    }
    return arguments_complete(table, positions, error);
}

enum { HELP_INDENT = 26, HELP_COLUMNS = 80 };

// Prints words from column `at` on, wrapped, every further line indented.
static void help_words(const char *words, int at, int indent, FILE *out)
{
    while (*words) {
        int len = (int)strcspn(words, " ");
        if (at > indent && at + 1 + len > HELP_COLUMNS) {
            fprintf(out, "\n%*s", indent, "");
            at = indent;
        }
        at += fprintf(out, "%s%.*s", at > indent ? " " : "", len, words);
        words += len;
        words += strspn(words, " ");
    }
    fputc('\n', out);
}

static void help_facts(const struct argument *row, struct text *out)
{
    text_add(out, row->help);
    if (row->kind == ARGUMENT_INTEGER || row->kind == ARGUMENT_NUMBER)
        text_printf(out, "; %.10g to %.10g", row->min, row->max);
    if (row->kind == ARGUMENT_LIST)
        text_add(out, "; may be repeated");
    if (row->standard)
        text_printf(out, " (default %s)", row->standard);
}

static void help_row(const struct argument *row, FILE *out)
{
    char facts[512];
    struct text text = text_on(facts, sizeof facts);
    help_facts(row, &text);
    const char *value = row->kind == ARGUMENT_CHOICE ? row->choices : row->value;
    const char *dashes = argument_is_position(row) ? "" : "--";
    int at = fprintf(out, "  %s%s%s%s", dashes, row->name, value ? " " : "", value ? value : "");
    if (at > HELP_INDENT - 2) {
        fputc('\n', out);
        at = 0;
    }
    fprintf(out, "%*s", HELP_INDENT - at, "");
    help_words(facts, HELP_INDENT, HELP_INDENT, out);
}

void arguments_help(const struct argument_table *table, FILE *out)
{
    fprintf(out, "Usage: %s\n\n", table->usage);
    help_words(table->about, 0, 0, out);
    fputc('\n', out);
    for (int i = 0; i < table->count; i++)
        help_row(&table->rows[i], out);
}

bool arguments_begin(const struct argument_table *table, int argc, char **argv, void *target, int *exit_status)
{
    char message[256];
    struct text error = text_on(message, sizeof message);
    enum arguments_result result = arguments_read(table, argc, argv, target, &error);
    *exit_status = result == ARGUMENTS_BAD ? 2 : 0;
    if (result == ARGUMENTS_HELP)
        arguments_help(table, stdout);
    if (result == ARGUMENTS_BAD)
        fprintf(stderr, "auralis %s: %s; see `auralis %s --help`\n", argv[0], message, argv[0]);
    return result == ARGUMENTS_OK;
}
