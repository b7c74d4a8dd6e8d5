#!/usr/bin/env python3
"""The studio links no libtorch, directly or through a library of its own.

check_links.py PROGRAM
"""

import re
import subprocess
import sys


def needed_libraries(program):
    # ldd follows the dependencies of dependencies too.
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True)
    return re.findall(r"^\s*(\S+)", listed.stdout, re.MULTILINE)


def main():
    libraries = needed_libraries(sys.argv[1])
    if not any("libQt6Core" in name for name in libraries):
        print(f"ldd found no Qt in {sys.argv[1]}: {libraries}")
        return 1
    wrong = [name for name in libraries
             if re.search(r"libtorch|libc10|libcuda|libcupti", name)]
    if wrong:
        print(f"{sys.argv[1]} links {', '.join(wrong)}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
