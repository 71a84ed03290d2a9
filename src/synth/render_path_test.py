#!/usr/bin/env python3
"""Nothing on the render path calls what could wait, allocate or differ: the objects' undefined symbols are on a list.

usage: render_path_test.py NM LIBRARY...
"""
import subprocess
import sys

ALLOWED = {'memcpy', 'memmove', 'memset'}
LEVELS = ('scalar', 'sse2', 'avx2', 'avx512', 'neon')
OWN = {f'{level}_available' for level in LEVELS}


def undefined(nm, path):
    lines = subprocess.run([nm, '-u', path], check=True, capture_output=True, text=True).stdout.splitlines()
    return {line.split()[-1] for line in lines if line.strip().startswith('U ')}


def check(nm, path):
    wrong = undefined(nm, path) - ALLOWED - OWN - {'_GLOBAL_OFFSET_TABLE_'}
    print(f'{"not ok" if wrong else "ok"} - {path.rsplit("/", 1)[-1]}: {", ".join(sorted(wrong)) or "nothing else called"}')
    return not wrong


def main():
    nm, paths = sys.argv[1], sys.argv[2:]
    print(f'1..{len(paths)}')
    results = [check(nm, path) for path in paths]
    return 0 if paths and all(results) else 1


if __name__ == '__main__':
    sys.exit(main())
