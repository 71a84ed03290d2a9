#include "store/desk.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

void desk_reopen(struct desk *desk)
{
    store_close(desk->store);
    desk->store = NULL;
    assert_int_equal(store_open(&desk->store, desk->directory, &desk->set_aside), STATUS_OK);
}

int desk_open(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);
    strcpy(desk->directory, "/tmp/auralis-store-test-XXXXXX");
    *state = desk;
    if (!mkdtemp(desk->directory))
        return -1;
    snprintf(desk->file, sizeof desk->file, "%s/auralis.db", desk->directory);
    return store_open(&desk->store, desk->directory, &desk->set_aside) == STATUS_OK && !desk->set_aside ? 0 : -1;
}

int desk_close(void **state)
{
    struct desk *desk = *state;
    store_close(desk->store);
    DIR *directory = opendir(desk->directory);
    for (struct dirent *entry; (entry = readdir(directory));)
        unlinkat(dirfd(directory), entry->d_name, 0);
    closedir(directory);
    rmdir(desk->directory);
    free(desk);
    return 0;
}

void desk_run_sql(struct desk *desk, const char *sql)
{
    sqlite3 *database;
    store_close(desk->store);
    desk->store = NULL;
    assert_int_equal(sqlite3_open(desk->file, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
    assert_int_equal(store_open(&desk->store, desk->directory, &desk->set_aside), STATUS_OK);
}
