#include "station/supply.h"

#include "os/log.h"

// More is not taken to have been watched between two looks.
#define SUPPLY_STEP_NS (2 * SUPPLY_LOOK_NS)

static const char *const failure_words[RENDER_FAILURES] = {
    [RENDER_ERROR] = "the renderer failed",
    [RENDER_DEADLINE] = "the renderer does not come back",
    [RENDER_NONFINITE] = "the renderer gave what is no sound",
};

enum status supply_init(struct supply *supply, const struct worker_config *config, atomic_uint_fast64_t *counts)
{
    *supply = (struct supply){.config = *config, .counts = counts};
    return worker_create(&supply->worker, config);
}

void supply_finish(struct supply *supply)
{
    worker_destroy(supply->worker);
    worker_destroy(supply->abandoned);
}

static void supply_fail(struct supply *supply, enum render_failure failure)
{
    supply->failures++;
    atomic_fetch_add(&supply->counts[failure], 1);
    supply->lost |= supply->failures >= SUPPLY_MOST_FAILURES;
    log_warn("station %s: %s (%d in a row)", supply->config.name, failure_words[failure], supply->failures);
}

// After an answer that is no sound, or none: at once for the first time, then not.
static void supply_pause(struct supply *supply, uint64_t now_ns)
{
    supply->asked = false;
    supply->resume_ns = now_ns + (uint64_t)(supply->failures - 1) * SUPPLY_PAUSE_NS;
}

// A worker that hangs is left behind and another one takes its place.
static void supply_replace(struct supply *supply, uint64_t now_ns)
{
    struct worker *fresh = NULL;
    supply->still_ns = 0;
    supply_fail(supply, RENDER_DEADLINE);
    if (supply->abandoned || worker_create(&fresh, &supply->config) != STATUS_OK) {
        supply->lost = true;
        return;
    }
    worker_dismiss(supply->worker);
    supply->abandoned = supply->worker;
    supply->worker = fresh;
    supply_pause(supply, now_ns);
}

void supply_watch(struct supply *supply, uint64_t now_ns)
{
    uint64_t passed = now_ns - supply->looked_ns;
    passed = passed < SUPPLY_STEP_NS ? passed : SUPPLY_STEP_NS;
    supply->looked_ns = now_ns;
    supply->owed_ns += passed;
    supply->still_ns += passed;
    if (supply->abandoned && worker_ended(supply->abandoned)) {
        worker_destroy(supply->abandoned);
        supply->abandoned = NULL;
    }
    unsigned progress = worker_progress(supply->worker);
    if (progress != supply->progress || !supply->asked || !worker_busy(supply->worker)) {
        supply->still_ns = 0;
        supply->missed = false;
    }
    supply->progress = progress;
    if (supply->still_ns >= SUPPLY_HUNG_NS)
        supply_replace(supply, now_ns);
}

bool supply_idle(const struct supply *supply, uint64_t now_ns)
{
    return !supply->asked && !supply->lost && now_ns >= supply->resume_ns;
}

enum status supply_ask(struct supply *supply, const struct mood_log *log, uint64_t first_frame)
{
    enum status status = worker_ask(supply->worker, log, first_frame);
    supply->asked = status == STATUS_OK;
    supply->dropped = false;
    return status;
}

const struct worker_answer *supply_take(struct supply *supply, uint64_t first_frame, uint64_t now_ns)
{
    if (!supply->asked || worker_busy(supply->worker))
        return NULL;
    const struct worker_answer *answer = worker_answer(supply->worker);
    supply->asked = false;
    if (answer->failure != RENDER_GOOD) {
        supply_fail(supply, answer->failure);
        supply_pause(supply, now_ns);
        return NULL;
    }
    if (answer->first_frame != first_frame || supply->dropped)
        return NULL;
    supply->failures = 0;
    supply->owed_ns = 0;
    return answer;
}

void supply_drop(struct supply *supply)
{
    supply->dropped = true;
}

bool supply_overdue(const struct supply *supply)
{
    return supply->owed_ns >= SUPPLY_PATIENCE_NS;
}

void supply_miss(struct supply *supply)
{
    if (supply->still_ns < SUPPLY_PATIENCE_NS || supply->missed)
        return;
    supply->missed = true;
    supply_fail(supply, RENDER_DEADLINE);
}

void supply_lose(struct supply *supply)
{
    supply->lost = true;
    if (supply->failures < SUPPLY_MOST_FAILURES)
        supply->failures = SUPPLY_MOST_FAILURES;
}

void supply_revive(struct supply *supply)
{
    supply->lost = false;
    supply->owed_ns = 0;
}
