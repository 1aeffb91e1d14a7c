#!/bin/sh

# Copyright (C) Hyperdrive for nginx authors

# Installs the Debian packages that are missing: deps.sh build | all | bench.
#
# Some of them bring a service, which Debian starts as it installs them, and a
# database cluster, which it creates.  Neither is wanted here, and no file of
# the system may be changed to prevent it: a policy-rc.d is such a file, other
# installations would obey it, and one that is there is not ours to replace;
# RUNLEVEL= is not looked at by systemd; and unpacking with dpkg -x would lose
# what the servers need to run (users, linked libraries).
#
# Maintainer scripts find invoke-rc.d and its kin by PATH, as Debian's policy
# wants it, and apt has an option for the PATH that it gives to dpkg.  So, for
# this one call, a folder of our own comes first in it, in which these programs
# do nothing.  The services stay off and disabled; services that ran before are
# not touched.

set -eu

what=${1:-all}
cd "$(dirname "$0")/../.."

export LC_ALL=C


# Groups of packages.  mariadb-server-core is the server without its service.

build='gcc libc6-dev make nginx libnginx-mod-stream libssl-dev libpcre2-dev
    zlib1g-dev libzstd-dev libluajit-5.1-dev'

tests='perl openssl util-linux zstd libpq-dev pgbouncer
    mariadb-server-core mariadb-client-core mariadb-client libmariadb-dev
    sysbench
    python3 python3-psycopg python3-asyncpg python3-pymysql
    libdbi-perl libdbd-pg-perl libdbd-mariadb-perl libio-socket-ssl-perl
    php-cli php-mysql php-pgsql
    golang-go golang-github-lib-pq-dev golang-github-go-sql-driver-mysql-dev
    libpg-query-dev dpkg-dev'

# what the cache is measured against

rivals='redis-server redis-tools pgpool2'

if [ "${NGINX_SRC:-/usr/share/nginx/src}" = /usr/share/nginx/src ]; then
    build="$build nginx-dev"
fi


installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" \
        = installed ]
}

# The sanitizers' and the fuzzer's run time are packages of their own, which
# carry clang's version in their names.

has_fuzzer() {
    for clang in clang $(ls /usr/bin/clang-[0-9]* 2>/dev/null); do
        dir=$("$clang" -print-resource-dir 2>/dev/null) || continue
        set -- "$dir"/lib/linux/libclang_rt.fuzzer-*.a
        [ -e "$1" ] && return 0
    done

    return 1
}

# Plugins of MariaDB's server are in the package of its service: they are taken
# out of it, and it is not installed.

plugins=/usr/lib/mysql/plugin

has_plugins() {
    [ -e $plugins/auth_ed25519.so ] \
        || [ -e "build/source/mariadb-server$plugins/auth_ed25519.so" ]
}

missing() {
    for package in $build; do
        installed "$package" || echo "$package"
    done

    if [ "$what" = bench ]; then
        for package in $rivals; do
            installed "$package" || echo "$package"
        done
    fi

    [ "$what" = all ] || return 0

    for package in $tests; do
        installed "$package" || echo "$package"
    done

    # any version of these will do

    set -- /usr/lib/postgresql/*/bin/initdb
    [ -e "$1" ] || echo postgresql

    if ! command -v node >/dev/null; then
        echo nodejs
    fi

    if ! command -v npm >/dev/null; then
        echo npm
    fi

    has_fuzzer || echo clang
    has_plugins || echo mariadb-plugins
}


wanted=$(missing)

if [ -z "$wanted" ]; then
    exit 0
fi

if ! command -v apt-get >/dev/null; then
    echo "these Debian packages, or their like, are needed:" $wanted >&2
    exit 1
fi

sudo=
if [ "$(id -u)" != 0 ]; then
    sudo=sudo
fi

inert=$PWD/build/inert

mkdir -p "$inert"

for program in invoke-rc.d service update-rc.d deb-systemd-invoke \
    deb-systemd-helper systemctl pg_createcluster
do
    cat > "$inert/$program" <<'EOF'
#!/bin/sh

# nothing is running, nothing is started

case " $* " in
    *" status "*|*" is-active "*|*" is-enabled "*) exit 3 ;;
esac

exit 0
EOF
    chmod 755 "$inert/$program"
done

apt() {
    $sudo env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
        apt-get -q -y -o DPkg::Lock::Timeout=300 -o APT::Color=0 \
        -o DPkg::Path="$inert:/usr/sbin:/usr/bin:/sbin:/bin" \
        -o Dpkg::Options::=--force-confold "$@"
}

# a foreign source that does not answer is no reason to stop

apt update || echo 'apt-get update failed, going on with what is known' >&2

case " $(echo $wanted) " in
    *" clang "*)
        version=$(apt-cache depends clang \
            | sed -n 's/^ *Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
        wanted="$wanted clang-$version libclang-rt-$version-dev"
        wanted=$(echo $wanted | tr ' ' '\n' | grep -vx clang)
        ;;
esac

case " $(echo $wanted) " in
    *" mariadb-plugins "*)
        sh t/lib/package.sh mariadb-server build/source ".$plugins/*" >/dev/null \
            || echo 'no plugins of MariaDB: their tests are skipped' >&2
        wanted=$(echo $wanted | tr ' ' '\n' | grep -vx mariadb-plugins || true)
        ;;
esac

if [ -z "$wanted" ]; then
    exit 0
fi

echo "installing:" $wanted

apt install --no-install-recommends --no-upgrade $wanted
