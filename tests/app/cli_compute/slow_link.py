"""A link with a delay for kernels without netem: a TUN device in each of two network namespaces, and a thread that hands every
packet from one to the other after a while. Needs /dev/net/tun."""

import ctypes
import fcntl
import heapq
import os
import select
import struct
import threading
import time

NAME = "slow0"
CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
LARGEST = 65536


class SlowLink:
    """Between the network namespaces of two processes. OSError where that cannot be."""

    def __init__(self, processes, seconds):
        self.seconds, self.ends, self.problem = seconds, [], None
        self.stop_here, self.stop_there = os.pipe()
        ready = threading.Event()
        # Namespaces are a thread's: the others stay where they are.
        self.thread = threading.Thread(target=self.run, args=(processes, ready), daemon=True)
        self.thread.start()
        ready.wait()
        if self.problem is not None:
            self.close()
            raise self.problem

    def run(self, processes, ready):
        try:
            for process in processes:
                self.ends.append(self.open_in(process))
        except OSError as problem:
            self.problem = problem
        ready.set()
        if self.problem is None:
            self.hand_on()

    @staticmethod
    def open_in(process):
        with open(f"/proc/{process}/ns/net", "rb") as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.ioctl(end, TUNSETIFF, struct.pack("16sH22x", NAME.encode(), IFF_TUN | IFF_NO_PI))
        except OSError:
            os.close(end)
            raise
        return end

    def hand_on(self):
        other = {self.ends[0]: self.ends[1], self.ends[1]: self.ends[0]}
        waiting, count = [], 0  # when it is due, its number, to whom, the packet
        while True:
            left = None if not waiting else max(0.0, waiting[0][0] - time.monotonic())
            ready = select.select([*self.ends, self.stop_here], [], [], left)[0]
            if self.stop_here in ready:
                return
            for end in ready:
                packet = os.read(end, LARGEST)
                heapq.heappush(waiting, (time.monotonic() + self.seconds, count, other[end], packet))
                count += 1
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, end, packet = heapq.heappop(waiting)
                try:
                    os.write(end, packet)
                except OSError:
                    pass  # not up yet, or full: a packet may be lost, as anywhere

    def close(self):
        os.write(self.stop_there, b"x")
        self.thread.join()
        for descriptor in (*self.ends, self.stop_here, self.stop_there):
            os.close(descriptor)
