// The program: a table of commands.
#include <stdio.h>
#include <string.h>

#include "app/serve.h"
#include "tools/tools.h"

static const struct tool tool_serve = {
    "serve", "compose, play and stream: a server for browsers and other clients", serve_run};

static const struct tool *const commands[] = {&tool_bench,   &tool_ear,    &tool_listen,
                                             &tool_measure, &tool_render, &tool_serve};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void main_help(FILE *out)
{
    fprintf(out, "Auralis composes ambient music, plays it and streams it, endlessly.\n\n"
                 "usage: auralis COMMAND [options]\n\n");
    for (int i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-8s %s\n", commands[i]->name, commands[i]->line);
    fprintf(out, "\n`auralis COMMAND --help` tells what a command can do; `auralis --version` which version this "
                 "is.\n");
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        main_help(stdout);
        return 0;
    }
    if (strcmp(name, "--version") == 0) {
        printf("auralis %s\n", AURALIS_VERSION);
        return 0;
    }
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(name, commands[i]->name) == 0)
            return commands[i]->run(argc - 1, argv + 1);
    if (*name)
        fprintf(stderr, "auralis: there is no command `%s`; see `auralis --help`\n", name);
    else
        main_help(stderr);
    return 2;
}
