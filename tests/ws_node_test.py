"""A listener that somebody else wrote: the ws package of npm, driven by ws_node.mjs.

usage: ws_node_test.py BINARY
"""
import pathlib
import subprocess
import sys

from server import Server

BINARY = sys.argv.pop(1)
SCRIPT = pathlib.Path(__file__).with_name("ws_node.mjs")
OPTIONS = ("--lead", "1", "--ping", "1")

with Server(BINARY, *OPTIONS) as four, Server(BINARY, *OPTIONS, listen="[::1]:0") as six:
    urls = [server.url.replace("http", "ws") for server in (four, six)]
    sys.exit(subprocess.run(["node", SCRIPT, *urls], timeout=60).returncode)
