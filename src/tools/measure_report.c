#include "tools/measure_report.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

static void print_value(const struct card_row *row, double value, struct text *out)
{
    if (isnan(value))
        text_add(out, "-");
    else
        text_printf(out, "%.*f", row->digits, value);
}

static void print_limits(const struct gate *gate, struct text *out)
{
    if (gate->low == gate->high)
        text_printf(out, "%g", gate->low);
    else if (isinf(gate->low))
        text_printf(out, "<= %g", gate->high);
    else if (isinf(gate->high))
        text_printf(out, ">= %g", gate->low);
    else
        text_printf(out, "%g .. %g", gate->low, gate->high);
}

static const char *verdict_word(const struct gate *gate, const struct card *card)
{
    if (!gate || (gate->optional && isnan(card_value(card, card_row_find(gate->name)))))
        return "";
    return gates_judge(gate, card) == VERDICT_GOOD ? "good" : "BAD";
}

static void print_row(const struct measure_summary *summary, const struct card_row *row, FILE *out)
{
    char value[32], limits[32];
    struct text value_text = text_on(value, sizeof value), limits_text = text_on(limits, sizeof limits);
    const struct gate *gate = gates_of_row(summary->profile, row->name);
    print_value(row, card_value(summary->card, row), &value_text);
    if (gate)
        print_limits(gate, &limits_text);
    fprintf(out, "%-21s%12s %-8s%-14s%-6s%s\n", row->name, value, row->unit, limits,
            verdict_word(gate, summary->card), row->help);
}

static void print_distance(const struct measure_summary *summary, FILE *out)
{
    const struct card_distance *distance = summary->distance;
    fprintf(out, "%-21s%12.3f         from %s: timbre %.2f dB, chroma %.3f, character %.2f\n", "distance",
            distance->all, summary->other, distance->timbre_db, distance->chroma, distance->character);
}

void measure_print_text(const struct measure_summary *summary, FILE *out)
{
    fprintf(out, "%s (%s)\n", summary->file, summary->profile->name);
    for (int i = 0; i < card_row_count; i++)
        print_row(summary, &card_rows[i], out);
    if (summary->distance)
        print_distance(summary, out);
    int bad = gates_count_bad(summary->profile, summary->card);
    fprintf(out, "%-21s%12d of %d\n", "gates not kept", bad, summary->profile->count);
}

static json_t *json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *json_numbers(const double *values, int count)
{
    json_t *numbers = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(numbers, json_number(values[i]));
    return numbers;
}

static json_t *json_card(const struct card *card)
{
    double signature[SIGNATURE_COUNT];
    json_t *measures = json_object();
    for (int i = 0; i < card_row_count; i++)
        json_object_set_new(measures, card_rows[i].name, json_number(card_value(card, &card_rows[i])));
    signature_vector(&card->signature, signature);
    json_object_set_new(measures, "chroma", json_numbers(signature, PARTIALS_CLASSES));
    json_object_set_new(measures, "third_octaves_db", json_numbers(signature + PARTIALS_CLASSES, SPECTRUM_BANDS));
    return measures;
}

static json_t *json_gates(const struct gate_profile *profile, const struct card *card)
{
    json_t *gates = json_array();
    for (int i = 0; i < profile->count; i++) {
        const struct gate *gate = &profile->gates[i];
        json_t *entry = json_object();
        json_object_set_new(entry, "name", json_string(gate->name));
        json_object_set_new(entry, "unit", json_string(gate->unit));
        json_object_set_new(entry, "low", json_number(gate->low));
        json_object_set_new(entry, "high", json_number(gate->high));
        json_object_set_new(entry, "value", json_number(card_value(card, card_row_find(gate->name))));
        json_object_set_new(entry, "good", json_boolean(gates_judge(gate, card) == VERDICT_GOOD));
        json_array_append_new(gates, entry);
    }
    return gates;
}

json_t *measure_json(const struct measure_summary *summary)
{
    json_t *root = json_object();
    json_object_set_new(root, "file", json_string(summary->file));
    json_object_set_new(root, "profile", json_string(summary->profile->name));
    json_object_set_new(root, "measures", json_card(summary->card));
    json_object_set_new(root, "gates", json_gates(summary->profile, summary->card));
    json_object_set_new(root, "good", json_boolean(gates_count_bad(summary->profile, summary->card) == 0));
    if (summary->distance) {
        json_t *distance = json_object();
        json_object_set_new(distance, "file", json_string(summary->other));
        json_object_set_new(distance, "all", json_number(summary->distance->all));
        json_object_set_new(distance, "timbre_db", json_number(summary->distance->timbre_db));
        json_object_set_new(distance, "chroma", json_number(summary->distance->chroma));
        json_object_set_new(distance, "character", json_number(summary->distance->character));
        json_object_set_new(root, "distance", distance);
    }
    return root;
}
