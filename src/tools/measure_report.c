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

static void print_row(const struct measure_piece *piece, const struct card_row *row, FILE *out)
{
    char value[32], limits[32];
    struct text value_text = text_on(value, sizeof value), limits_text = text_on(limits, sizeof limits);
    const struct gate *gate = gates_of_row(piece->profile, row->name);
    print_value(row, card_value(&piece->card, row), &value_text);
    if (gate)
        print_limits(gate, &limits_text);
    fprintf(out, "%-21s%12s %-8s%-14s%-6s%s\n", row->name, value, row->unit, limits,
            verdict_word(gate, &piece->card), row->help);
}

void measure_print_text(const struct measure_piece *piece, FILE *out)
{
    fprintf(out, "%s (%s)\n", piece->name, piece->profile->name);
    for (int i = 0; i < card_row_count; i++)
        print_row(piece, &card_rows[i], out);
    int bad = gates_count_bad(piece->profile, &piece->card);
    fprintf(out, "%-21s%12d of %d\n\n", "gates not kept", bad, piece->profile->count);
}

// Numbers stand for the names at the top: those are too long for columns.
void measure_print_distances(const struct measure_piece *pieces, int count, FILE *out)
{
    fprintf(out, "distances\n%-21s", "");
    for (int k = 0; k < count; k++)
        fprintf(out, "%6d", k + 1);
    fputc('\n', out);
    for (int i = 0; i < count; i++) {
        fprintf(out, "%2d %-18.18s", i + 1, pieces[i].name);
        for (int k = 0; k < count; k++)
            fprintf(out, "%6.2f", card_compare(&pieces[i].card, &pieces[k].card).all);
        fputc('\n', out);
    }
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

json_t *measure_json(const struct measure_piece *piece)
{
    json_t *root = json_object();
    json_object_set_new(root, "name", json_string(piece->name));
    json_object_set_new(root, "profile", json_string(piece->profile->name));
    json_object_set_new(root, "measures", json_card(&piece->card));
    json_object_set_new(root, "gates", json_gates(piece->profile, &piece->card));
    json_object_set_new(root, "good", json_boolean(gates_count_bad(piece->profile, &piece->card) == 0));
    return root;
}

json_t *measure_json_distances(const struct measure_piece *pieces, int count, int from)
{
    json_t *distances = json_array();
    for (int i = 0; i < count; i++) {
        struct card_distance distance = card_compare(&pieces[from].card, &pieces[i].card);
        json_t *entry = json_object();
        json_object_set_new(entry, "name", json_string(pieces[i].name));
        json_object_set_new(entry, "all", json_number(distance.all));
        json_object_set_new(entry, "timbre_db", json_number(distance.timbre_db));
        json_object_set_new(entry, "chroma", json_number(distance.chroma));
        json_object_set_new(entry, "character", json_number(distance.character));
        json_array_append_new(distances, entry);
    }
    return distances;
}

void measure_json_print(json_t *root, FILE *out)
{
    json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    fputc('\n', out);
}
