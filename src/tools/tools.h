// The commands besides `serve`. Each takes its own arguments, prints, and returns the exit status: 0 good, 1 failed or
// found something wrong, 2 asked for wrongly.
#pragma once

// A command of the program.
struct tool {
    const char *name;
    const char *line;                  // for `auralis --help`
    int (*run)(int argc, char **argv); // argv[0] is the command's name; -h and --help are its business
};

extern const struct tool tool_bench, tool_ear, tool_listen, tool_measure, tool_render;
