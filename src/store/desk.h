// What tests of the store stand on: one in a directory of its own.
#pragma once
#include <stdbool.h>

#include "store/store.h"

struct desk {
    char directory[64], file[96];
    struct store *store;
    bool set_aside;
};

// As cmocka has them.
int desk_open(void **state);
int desk_close(void **state);
void desk_reopen(struct desk *desk);
// While the store is closed; opens it again.
void desk_run_sql(struct desk *desk, const char *sql);

#define DESK_TEST(test) cmocka_unit_test_setup_teardown(test, desk_open, desk_close)
