"""Exits 0 if every file of the named packages is there in its full size.

check_packages.py NAME[==VERSION]…  Runs in the virtual environment that is checked. pip writes the
record of a package only after its files, so an interrupted installation has no record.
"""

import sys
from importlib import metadata


def is_complete(requirement):
    name, _, version = requirement.partition("==")
    try:
        package = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    if version and package.version.split("+")[0] != version:
        return False
    for file in package.files or []:
        if file.size is None:  # compiled files and the record itself carry no size
            continue
        try:
            if file.locate().stat().st_size != file.size:
                return False
        except OSError:
            return False
    return bool(package.files)


sys.exit(0 if all(is_complete(argument) for argument in sys.argv[1:]) else 1)
