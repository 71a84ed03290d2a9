#include "stream/tokens.h"

#include "base/frames.h"

struct tokens tokens_full(double capacity, double per_second, uint64_t now_ns)
{
    return (struct tokens){.have = capacity, .at_ns = now_ns, .capacity = capacity, .per_second = per_second};
}

bool tokens_take(struct tokens *tokens, uint64_t now_ns, uint64_t *at_ns)
{
    double have = tokens->have + (double)(now_ns - tokens->at_ns) * tokens->per_second / (double)NS_PER_SECOND;
    tokens->have = have < tokens->capacity ? have : tokens->capacity;
    tokens->at_ns = now_ns;
    if (tokens->have >= 1) {
        tokens->have -= 1;
        return true;
    }
    *at_ns = now_ns + (uint64_t)((1 - tokens->have) / tokens->per_second * (double)NS_PER_SECOND) + 1;
    return false;
}
