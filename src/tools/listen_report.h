// What `auralis listen` says at the end.
#pragma once
#include <stdbool.h>
#include <stdio.h>

#include "client/client.h"
#include "tools/click_watch.h"
#include "tools/verify.h"

struct listen_summary {
    const char *format;                  // as asked for: "opus"
    const struct client_report *report;
    const struct verify_result *verify;  // NULL: not verified
    const struct click_result *clicks;   // NULL: not looked for
    const char *trouble;                 // why it could not be verified or written; "" when all went well
};

// Share of the chunks expected that came at most `ms` late; NAN when none was expected. Early ones and missing ones
// lower it.
double listen_share_within(const struct client_report *report, double ms);
// Nothing went wrong: everybody connected and stayed, no gaps, no errors, no mismatches, no clicks.
bool listen_all_well(const struct listen_summary *summary);
void listen_print_text(const struct listen_summary *summary, FILE *out);
// One JSON object with every figure; null for what was not measured.
void listen_print_json(const struct listen_summary *summary, FILE *out);
