"""Two network namespaces, joined by a cable: one for the server and all that is healthy, one for who is far away.

Neither has a name: they are gone with the processes in them, however those end."""
import contextlib
import ctypes
import os
import shutil
import subprocess

from faults.fault import NotRun
from server import wait_until

CLONE_NEWNET = 0x40000000
HERE, THERE = "10.77.0.1", "10.77.0.2"
libc = ctypes.CDLL(None, use_errno=True)


def _checked(result):
    if result != 0:
        raise NotRun(f"no network namespaces here ({os.strerror(ctypes.get_errno())})")


def _network(pid="thread-self"):
    return f"/proc/{pid}/ns/net"


class Namespaces:
    """`with Namespaces() as net:` the calling thread and all that it starts are in the server's namespace."""

    def __enter__(self):
        for program in ("ip", "iptables", "tc", "unshare", "nsenter"):
            if not shutil.which(program):
                raise NotRun(f"there is no program `{program}`")
        self.ending = contextlib.ExitStack()
        home = os.open(_network(), os.O_RDONLY)
        self.ending.callback(os.close, home)
        _checked(libc.unshare(CLONE_NEWNET))
        self.ending.callback(libc.setns, home, CLONE_NEWNET)
        try:
            self._join()
        except BaseException:
            self.ending.close()
            raise
        return self

    def __exit__(self, *_):
        self.ending.close()

    def _join(self):
        holder = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE)  # ends when we do
        self.holder = holder.pid
        self.ending.callback(holder.wait)
        self.ending.callback(holder.stdin.close)
        here = os.readlink(_network())
        wait_until(lambda: os.readlink(_network(holder.pid)) != here, 10, "no second namespace")
        self.here("ip", "link", "set", "lo", "up")
        self.here("ip", "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", str(holder.pid))
        self.here("ip", "addr", "add", f"{HERE}/30", "dev", "cable")
        self.here("ip", "link", "set", "cable", "up")
        self.there("ip", "addr", "add", f"{THERE}/30", "dev", "cable")
        self.there("ip", "link", "set", "cable", "up")

    def here(self, *command):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise NotRun(f"`{' '.join(command)}`: {done.stderr.strip()}")

    def there(self, *command):
        self.here("nsenter", f"--net={_network(self.holder)}", *command)

    def stand_there(self):
        """Takes the calling thread to the other end."""
        other = os.open(_network(self.holder), os.O_RDONLY)
        _checked(libc.setns(other, CLONE_NEWNET))
        os.close(other)

    @contextlib.contextmanager
    def losing(self, share):
        """So many of the packets are lost, each way. 1: all of them."""
        rule = [] if share == 1 else ["-m", "statistic", "--mode", "random", "--probability", str(share)]
        for chain in ("INPUT", "OUTPUT"):
            self.there("iptables", "-A", chain, *rule, "-j", "DROP")
        try:
            yield
        finally:
            self.there("iptables", "-F")

    @contextlib.contextmanager
    def narrow(self, kbit_s):
        """The server's end sends no faster."""
        self.here("tc", "qdisc", "add", "dev", "cable", "root", "tbf", "rate", f"{kbit_s}kbit", "burst", "4kb", "limit",
                  "8kb")
        try:
            yield
        finally:
            self.here("tc", "qdisc", "del", "dev", "cable", "root")
