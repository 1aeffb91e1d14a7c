#!/bin/sh

# Copyright (C) Hyperdrive for nginx authors

# Gets files of a Debian package without installing it: package.sh PACKAGE DIR
# PATTERN... leaves those that match in DIR/PACKAGE, with their paths, and prints
# that path.  The lists are the system's own.

set -eu

package=$1
dir=$2
shift 2

export LC_ALL=C

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)

if [ -d "$dir/$package" ]; then
    echo "$dir/$package"
    exit 0
fi

if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    echo "apt-get and dpkg-deb are needed" >&2
    exit 1
fi

work=$(mktemp -d "$dir/get-XXXXXX")

trap 'rm -rf "$work"' EXIT

mkdir "$work/tree"

(cd "$work" && apt-get -q -o APT::Sandbox::User= download "$package" >&2)

dpkg-deb --fsys-tarfile "$work"/*.deb \
    | tar -x -C "$work/tree" --wildcards "$@"

mv "$work/tree" "$dir/$package"
echo "$dir/$package"
