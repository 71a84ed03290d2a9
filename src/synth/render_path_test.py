#!/usr/bin/env python3
"""Nothing on the render path calls what could wait, allocate or differ: the objects' undefined symbols are on a list.

usage: render_path_test.py NM FORBIDDEN LIBRARY...   FORBIDDEN is a library that has to be caught
"""
import subprocess
import sys

ALLOWED = {'memcpy', 'memmove', 'memset'}
OWN = {f'{level}_available' for level in ('scalar', 'sse2', 'avx2', 'avx512', 'neon')}


def forbidden_calls(nm, path):
    lines = subprocess.run([nm, '-u', path], check=True, capture_output=True, text=True).stdout.splitlines()
    undefined = {line.split()[-1] for line in lines if line.strip().startswith('U ')}
    return sorted(undefined - ALLOWED - OWN - {'_GLOBAL_OFFSET_TABLE_'})


def report(good, text):
    print('ok' if good else 'not ok', '-', text)
    return good


def main():
    nm, forbidden, *libraries = sys.argv[1:]
    print(f'1..{len(libraries) + 1}')
    results = [report('malloc' in forbidden_calls(nm, forbidden), 'an allocation is caught')]
    for path in libraries:
        calls = forbidden_calls(nm, path)
        results.append(report(not calls, f'{path.rsplit("/", 1)[-1]} {" ".join(calls)}'))
    return 0 if libraries and all(results) else 1


if __name__ == '__main__':
    sys.exit(main())
