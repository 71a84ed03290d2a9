"""A line with a long round trip: two network namespaces, and between them packets that are carried over after a while.

Kernels may lack netem, so it is done by hand, with a TUN device at either end. Nothing has a name: all is gone with the
process."""
import contextlib
import ctypes
import fcntl
import os
import queue
import select
import struct
import subprocess
import threading
import time

HERE, THERE = "10.78.0.1", "10.78.0.2"
CLONE_NEWNET, TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x40000000, 0x400454CA, 1, 0x1000
PACKET_BYTES, LOOK_S = 2048, 0.2
libc = ctypes.CDLL(None, use_errno=True)


def _checked(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _network():
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY)


class LongWay:
    """`with LongWay(0.06) as way:` the calling thread and all that it starts are at HERE; each way takes so long.

    OSError where that cannot be had."""

    def __init__(self, delay_s):
        self.delay_s = delay_s
        self.over = threading.Event()

    def __enter__(self):
        self.ending = contextlib.ExitStack()
        home = self._keep(_network())
        self.ending.callback(libc.setns, home, CLONE_NEWNET)
        try:
            here = self._end(HERE, THERE)
            self.near = self._keep(_network())
            there = self._end(THERE, HERE)
            self.far = self._keep(_network())
            _checked(libc.setns(self.near, CLONE_NEWNET))
        except BaseException:
            self.ending.close()
            raise
        threads = [thread for ends in ((here, there), (there, here)) for thread in self._carriers(*ends)]
        for thread in threads:
            self.ending.callback(thread.join)
            thread.start()
        self.ending.callback(self.over.set)
        return self

    def __exit__(self, *_):
        self.ending.close()

    def _keep(self, descriptor):
        self.ending.callback(os.close, descriptor)
        return descriptor

    def _end(self, own, other):
        """A namespace, in which the calling thread is then, and the end of the line in it."""
        _checked(libc.unshare(CLONE_NEWNET))
        device = self._keep(os.open("/dev/net/tun", os.O_RDWR))
        fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", b"line", IFF_TUN | IFF_NO_PI))
        for command in ("ip link set lo up", f"ip addr add {own} peer {other} dev line", "ip link set line up"):
            subprocess.run(command.split(), check=True, capture_output=True)
        return device

    def _carriers(self, begin, end):
        under_way = queue.Queue()

        def take():
            while not self.over.is_set():
                if select.select([begin], [], [], LOOK_S)[0]:
                    under_way.put((time.monotonic() + self.delay_s, os.read(begin, PACKET_BYTES)))
            under_way.put(None)

        def give():
            while packet := under_way.get():
                time.sleep(max(0.0, packet[0] - time.monotonic()))
                os.write(end, packet[1])

        return threading.Thread(target=take), threading.Thread(target=give)

    @contextlib.contextmanager
    def from_afar(self):
        """What the calling thread opens within it is opened at the other end."""
        _checked(libc.setns(self.far, CLONE_NEWNET))
        try:
            yield
        finally:
            _checked(libc.setns(self.near, CLONE_NEWNET))
