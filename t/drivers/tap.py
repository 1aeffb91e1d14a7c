# Copyright (C) Hyperdrive for nginx authors

"""What the driver programs in Python print: TAP, and notes to compare."""

import hashlib
import sys
import traceback

count = 0
failed = 0


def ok(rc, name):
    global count, failed

    count += 1

    print("%s %d - %s" % ("ok" if rc else "not ok", count, name), flush=True)

    if not rc:
        failed += 1

    return rc


def same(got, expected, name):
    if got != expected:
        print("# got %.300r, expected %.300r" % (got, expected))

    return ok(got == expected, name)


def show(name, value):
    """A value that must not differ between two runs."""

    text = repr(value)

    if len(text) > 500:
        text = "%d bytes, %s" % (
            len(text), hashlib.md5(text.encode()).hexdigest())

    print("# %s: %s" % (name, text))


def crashed(name):
    """To be called from an except block."""

    for line in traceback.format_exc().splitlines():
        print("# " + line)

    ok(False, name)


def done():
    print("1..%d" % count, flush=True)
    sys.exit(1 if failed else 0)
