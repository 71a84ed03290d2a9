// `auralis serve`: reads the options, starts the server, waits for the end.
#pragma once

// argv[0] is "serve". Returns the exit status: 0, or 1 after one clear line on standard error.
int serve_run(int argc, char **argv);
