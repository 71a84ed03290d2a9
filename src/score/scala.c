#include "score/scala.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { ECHO_BYTES = 32, DIGITS_MAX = 15 };

#define OCTAVE_CENTS 1200.0
#define OCTAVE_TOLERANCE 50.0
#define CENTS_MAX 1e6

// A line without its end, or what is left of one.
struct line {
    const char *at, *end;
};

struct scala {
    struct line rest;        // of the file
    int number;              // of the line read last, from 1
    struct text *failure;
    char title[TUNING_TITLE_BYTES];
    int notes;
    double cents[SCALA_NOTES_MAX];
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void line_skip_blanks(struct line *line)
{
    while (line->at < line->end && is_blank(*line->at))
        line->at++;
}

// Takes the character if it is the next one.
static bool line_take(struct line *line, char c)
{
    bool taken = line->at < line->end && *line->at == c;
    line->at += taken;
    return taken;
}

// What is left, as far as it fits, for people to read.
static const char *line_text(struct line line, char *bytes, size_t cap)
{
    struct text text = text_on(bytes, cap);
    for (; line.at < line.end && text.len + 1 < cap; line.at++)
        text_append(&text, *line.at >= ' ' && *line.at <= '~' ? line.at : "?", 1);
    return bytes;
}

// "line 4: '3//2' is no ratio"
static enum status scala_refuse(const struct scala *scala, struct line what, const char *why)
{
    char echo[ECHO_BYTES];
    while (what.end > what.at && is_blank(what.end[-1]))
        what.end--;
    text_printf(scala->failure, "line %d: '%s' %s", scala->number, line_text(what, echo, sizeof echo), why);
    return STATUS_INVALID;
}

// The next line that is no comment.
static bool scala_next(struct scala *scala, struct line *line)
{
    struct line *rest = &scala->rest;
    while (rest->at < rest->end) {
        line->at = rest->at;
        while (rest->at < rest->end && *rest->at != '\n' && *rest->at != '\r')
            rest->at++;
        line->end = rest->at;
        if (!(line_take(rest, '\r') && line_take(rest, '\n')))
            line_take(rest, '\n');
        scala->number++;
        if (line->at == line->end || *line->at != '!')
            return true;
    }
    return false;
}

// Digits, with a point or without. Of more than a double holds those behind the point are left out; before it they make
// the value infinite.   point: out.
static bool line_number(struct line *line, double *value, bool *point)
{
    double whole = 0, unit = 1;
    int digits = 0, seen = 0;
    *point = false;
    for (; line->at < line->end && (is_digit(*line->at) || (*line->at == '.' && !*point)); line->at++) {
        if (*line->at == '.') {
            *point = true;
            continue;
        }
        seen++;
        if (digits == DIGITS_MAX) {
            whole = *point ? whole : INFINITY;
            continue;
        }
        whole = whole * 10 + (*line->at - '0');
        unit *= *point ? 10 : 1;
        digits += whole > 0;
    }
    *value = whole / unit;
    return seen > 0;
}

static enum status scala_ratio(const struct scala *scala, struct line line, double over, struct line *after,
                               double *cents)
{
    double under = 1;
    bool point = false;
    struct line slash = *after;
    line_skip_blanks(&slash);
    if (line_take(&slash, '/')) {
        line_skip_blanks(&slash);
        if (!line_number(&slash, &under, &point) || point)
            return scala_refuse(scala, line, "is no ratio");
        *after = slash;
    }
    if (isinf(over) || isinf(under))
        return scala_refuse(scala, line, "has too many digits");
    if (over == 0 || under == 0)
        return scala_refuse(scala, line, "is no ratio: it has a zero");
    *cents = OCTAVE_CENTS * log2(over / under);
    return STATUS_OK;
}

static enum status scala_pitch(const struct scala *scala, struct line line, double *cents)
{
    bool point;
    double value;
    line_skip_blanks(&line);
    struct line at = line;
    bool negative = line_take(&at, '-');
    if (!line_number(&at, &value, &point))
        return scala_refuse(scala, line, "is no pitch: neither cents, as 386.3, nor a ratio, as 5/4");
    if (negative && !point)
        return scala_refuse(scala, line, "is negative, which only cents can be");
    *cents = negative ? -value : value;
    if (!point) {
        enum status status = scala_ratio(scala, line, value, &at, cents);
        if (status != STATUS_OK)
            return status;
    }
    if (at.at < at.end && !is_blank(*at.at))
        return scala_refuse(scala, line, "is no pitch: neither cents, as 386.3, nor a ratio, as 5/4");
    return fabs(*cents) <= CENTS_MAX ? STATUS_OK : scala_refuse(scala, line, "is too large");
}

static enum status scala_count(struct scala *scala, struct line line)
{
    double count;
    bool point;
    struct line at = line;
    line_skip_blanks(&at);
    bool good = line_number(&at, &count, &point) && !point;
    line_skip_blanks(&at);
    if (!good || at.at < at.end)
        return scala_refuse(scala, line, "is not the number of notes");
    if (count < 1 || count > SCALA_NOTES_MAX)
        return scala_refuse(scala, line, "is not a number of notes that can be read: 1 to 1024");
    scala->notes = (int)count;
    return STATUS_OK;
}

// A line that must be there.
static enum status scala_need(struct scala *scala, const char *what, struct line *line)
{
    if (scala_next(scala, line))
        return STATUS_OK;
    text_printf(scala->failure, "line %d: the file ends before %s", scala->number + 1, what);
    return STATUS_INVALID;
}

static enum status scala_lines(struct scala *scala)
{
    struct line line;
    enum status status = scala_need(scala, "the description", &line);
    if (status != STATUS_OK)
        return status;
    line_skip_blanks(&line);
    line_text(line, scala->title, sizeof scala->title);
    status = scala_need(scala, "the number of notes", &line);
    if (status == STATUS_OK)
        status = scala_count(scala, line);
    for (int i = 0; i < scala->notes && status == STATUS_OK; i++) {
        status = scala_need(scala, "its last pitch", &line);
        if (status == STATUS_OK)
            status = scala_pitch(scala, line, &scala->cents[i]);
    }
    if (status == STATUS_OK && fabs(scala->cents[scala->notes - 1] - OCTAVE_CENTS) > OCTAVE_TOLERANCE)
        status = scala_refuse(scala, line, "is no octave, and the scale must repeat at one");
    return status;
}

// The shortest way round the octave.
static double scala_fold(double cents)
{
    return cents - OCTAVE_CENTS * floor(cents / OCTAVE_CENTS + 0.5);
}

// From `class` semitones above the tonic to the nearest degree.
static double scala_nearest(const struct scala *scala, int class)
{
    const double alike = 1e-6;
    double best = scala_fold(-100.0 * class);
    for (int i = 0; i < scala->notes - 1; i++) {
        double offset = scala_fold(scala->cents[i] - 100.0 * class), nearer = fabs(best) - fabs(offset);
        if (nearer > alike || (nearer > -alike && offset < best))
            best = offset;
    }
    return best;
}

// offset_cents: out, [0] is left as it is.
static void scala_classes(const struct scala *scala, double *offset_cents)
{
    for (int class = 1; class < TUNING_CLASSES; class++)
        offset_cents[class] = scala->notes == TUNING_CLASSES ? scala_fold(scala->cents[class - 1] - 100.0 * class)
                                                             : scala_nearest(scala, class);
}

enum status scala_read(const char *bytes, size_t len, struct tuning *tuning, struct text *failure)
{
    static const char byte_order_mark[] = {'\xef', '\xbb', '\xbf'};
    size_t mark = len >= sizeof byte_order_mark && memcmp(bytes, byte_order_mark, sizeof byte_order_mark) == 0 ? 3 : 0;
    struct scala scala = {.rest = {bytes + mark, bytes + len}, .failure = failure};
    if (len > SCALA_BYTES_MAX) {
        text_printf(failure, "line 1: the file has more than %d bytes", SCALA_BYTES_MAX);
        return STATUS_INVALID;
    }
    enum status status = scala_lines(&scala);
    if (status != STATUS_OK)
        return status;
    *tuning = (struct tuning){.name = "scala"};
    memcpy(tuning->title, scala.title, sizeof tuning->title);
    scala_classes(&scala, tuning->offset_cents);
    return STATUS_OK;
}
