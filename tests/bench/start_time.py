"""How soon a program answers and what it takes: seconds to the first byte on its standard output and to its end, and the
most memory that was resident, as JSON. By itself, for a program that is started by a large one inherits its peak.

Usage: start_time.py PROGRAM [ARGUMENTS…]
"""

import json
import os
import subprocess
import sys
import time


def main():
    start = time.monotonic()
    with subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        process.stdout.read(1)
        first = time.monotonic() - start
        process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    print(json.dumps({"first_s": first, "end_s": time.monotonic() - start, "peak_bytes": usage.ru_maxrss * 1024}))
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
