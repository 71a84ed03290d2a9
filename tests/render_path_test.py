#!/usr/bin/env python3
"""Nothing on the render path calls what could wait, allocate or differ: what its objects call and do not define
themselves is on a list.

usage: render_path_test.py NM FORBIDDEN LIBRARY[:OBJECT,...] ...
  FORBIDDEN is a library that has to be caught. Of a LIBRARY only the named objects count, all of them if none is named;
  with a leading - all but the named ones.
"""
import pathlib
import subprocess
import sys

# The C library's plain memory functions, and the end of a program whose own promises are broken.
ALLOWED = {'memcpy', 'memmove', 'memset', 'check_failed', '_GLOBAL_OFFSET_TABLE_'}
# What the score's vocabulary offers without allocating.
SCORE = {'chord_tones', 'key_tonic', 'mode_is_major', 'mode_semitones', 'mood_log_at', 'mood_log_beats',
         'mood_log_frame_of_beats', 'mood_log_mood', 'mood_log_next', 'mood_log_shares', 'mood_log_tuning',
         'mood_log_woken', 'scene_count', 'scene_instrument', 'scenes', 'tuning_pitch'}


def read_symbols(nm, argument):
    """(defined, undefined) symbols of the objects that an argument names."""
    library, _, chosen = argument.partition(':')
    names = set(chosen.lstrip('-').split(',')) if chosen else set()
    lines = subprocess.run([nm, '-A', library], check=True, capture_output=True, text=True).stdout.splitlines()
    defined, undefined = set(), set()
    for line in lines:
        _, place, rest = line.split(':', 2)
        part = pathlib.PurePath(place).name.removesuffix('.c.o')
        if names and (part in names) == chosen.startswith('-'):
            continue
        kind, symbol = rest.split()[-2:]
        (undefined if kind == 'U' else defined).add(symbol)
    return defined, undefined


def forbidden_calls(nm, arguments):
    symbols = [read_symbols(nm, argument) for argument in arguments]
    defined = set().union(*(pair[0] for pair in symbols))
    undefined = set().union(*(pair[1] for pair in symbols))
    if not defined:
        raise SystemExit(f'no symbols in {arguments}')
    # A kernel's table names, and does not call, the function that asks whether the processor can run it.
    undefined = {symbol for symbol in undefined if not symbol.endswith('_available')}
    return sorted(undefined - defined - ALLOWED - SCORE)


def report(good, text):
    print('ok' if good else 'not ok', '-', text)
    return good


def main():
    nm, forbidden, *path = sys.argv[1:]
    print('1..2')
    caught = report('malloc' in forbidden_calls(nm, [forbidden]), 'an allocation is caught')
    calls = forbidden_calls(nm, path)
    return 0 if report(not calls, f'the render path calls nothing else {" ".join(calls)}') and caught else 1


if __name__ == '__main__':
    sys.exit(main())
