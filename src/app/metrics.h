// Measurements of the running server as Prometheus text. The table is metrics.def.
#pragma once
#include "app/app.h"
#include "base/text.h"

// Writes all metrics; with options.legacy_metrics those that dashboards of old know as well.
void metrics_write(const struct app *app, struct text *text);
