#!/bin/sh

# Copyright (C) Hyperdrive for nginx authors

# The module with another nginx: newer.sh [RELEASE | DIR] gets the nginx of a
# Debian release (trixie unless given), or takes a source tree, builds it with
# the module, stream and http inside build/newer/NAME, and prints what tests
# need to run with it.

set -eu

release=${1:-trixie}

cd "$(dirname "$0")/.."

if [ -d "$release" ]; then
    source=$(cd "$release" && pwd)
    name=$(basename "$source")

else
    source=$(sh t/lib/source.sh nginx "build/source-$release" "$release")
    name=$release
fi

out=$PWD/build/newer/$name

rm -rf "$out"
mkdir -p "$out"
cp -R "$source/." "$out/src"

# configure gets a relative path: it would break on a blank

ln -s "$PWD" "$out/src/hyperdrive"

(
    cd "$out/src"

    if [ -x configure ]; then
        configure=./configure
    else
        configure=auto/configure
    fi

    $configure --prefix="$out" --with-compat --with-debug --with-threads \
        --with-http_ssl_module --with-http_stub_status_module \
        --with-stream=dynamic --with-stream_ssl_module \
        --with-cc-opt="-O2" --add-dynamic-module=hyperdrive \
        > "$out/configure.log" 2>&1 || { cat "$out/configure.log"; exit 1; }

    env -u MAKEFLAGS make -s -j"$(nproc)" > "$out/make.log" 2>&1 \
        || { cat "$out/make.log"; exit 1; }
)

mkdir -p "$out/modules"
cp "$out/src/objs/nginx" "$out/"
cp "$out/src/objs/"*.so "$out/modules/"

"$out/nginx" -v 2>&1

echo "TEST_HYPERDRIVE_NGINX=$out/nginx"
echo "TEST_HYPERDRIVE_MODULES_DIR=$out/modules"
echo "TEST_HYPERDRIVE_MODULE=$out/modules/ngx_stream_hyperdrive_module.so"
