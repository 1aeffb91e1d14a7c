#!/bin/sh

# Copyright (C) Hyperdrive for nginx authors

# Gets the source of a Debian package: source.sh PACKAGE DIR [RELEASE] leaves
# it in DIR/PACKAGE and prints that path.  RELEASE is one of Debian's names,
# the system's own unless given.
#
# apt is run with lists, a cache and sources of its own, in DIR: no file of the
# system is written, and no root is needed.  Only the addresses and the keys
# of Debian's archive are taken from the system's configuration.

set -eu

package=$1
dir=$2
release=${3:-$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")}

export LC_ALL=C

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)

if [ -d "$dir/$package" ]; then
    echo "$dir/$package"
    exit 0
fi

if ! command -v apt-get >/dev/null || ! command -v dpkg-source >/dev/null; then
    echo "apt-get and dpkg-source (Debian's dpkg-dev) are needed" >&2
    exit 1
fi

# the archive's mirror that the system uses

mirror=$(apt-get indextargets --format '$(SITE) $(ORIGIN)' 2>/dev/null \
    | sed -n 's/ Debian$//p' | grep -v security | head -n 1)
security=$(apt-get indextargets --format '$(SITE) $(ORIGIN)' 2>/dev/null \
    | sed -n 's/ Debian$//p' | grep security | head -n 1)

mirror=${mirror:-http://deb.debian.org/debian}
security=${security:-http://deb.debian.org/debian-security}

apt=$dir/apt-$release

mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/parts"

{
    echo "deb-src $mirror $release main"

    case "$release" in
        sid|*-backports) ;;
        *) echo "deb-src $security $release-security main" ;;
    esac
} > "$apt/sources.list"

run() {
    command=$1
    shift

    "$command" \
        -o Dir::Etc::SourceList="$apt/sources.list" \
        -o Dir::Etc::SourceParts="$apt/parts" \
        -o Dir::State::Lists="$apt/lists" \
        -o Dir::Cache="$apt/cache" \
        -o Acquire::Languages=none -o APT::Sandbox::User= \
        -o APT::Update::Error-Mode=any "$@"
}

# kept for a day: more than one package may be asked for

if [ -z "$(find "$apt/updated" -mtime -1 2>/dev/null)" ]; then
    run apt-get update >&2
    touch "$apt/updated"
fi

# An update's sources may be gone, or not be there yet: then the version
# before it will do.

versions=$(run apt-cache --only-source showsrc "$package" \
    | sed -n 's/^Version: //p' | sort -Vru)

if [ -z "$versions" ]; then
    echo "Debian $release has no source package $package" >&2
    exit 1
fi

work=$(mktemp -d "$dir/get-XXXXXX")

trap 'rm -rf "$work"' EXIT

for version in $versions; do

    if (
        cd "$work"
        run apt-get -q -y --only-source --download-only source \
            "$package=$version" >&2 \
        && dpkg-source --no-check -x ./*.dsc tree >&2
    )
    then
        mv "$work/tree" "$dir/$package"
        echo "$dir/$package"
        exit 0
    fi

    rm -rf "${work:?}"/*
done

exit 1
