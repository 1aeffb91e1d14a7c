#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: what nginx -t says to what is wrong: where, what, and
# what to write instead; and never a password.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;

###############################################################################

my $t = Test::Hyperdrive->new();

$t->certificate('front')->certificate('other', type => 'ec');

$t->write_file('secret', "hidden\n")->write_file('empty', "\nhidden\n")
	->write_file('long', 'x' x 2000)->write_file('wide', "h\0i\0d\0")
	->write_file('users.txt', qq{"app" "hidden"\n});

my $url = 'postgres://app:hidden@127.0.0.1:5432/shop';

###############################################################################
# Right.

for my $origin ('postgres://app@127.0.0.1/shop',
    'postgresql://app:hidden@127.0.0.1:5432/shop',
    'postgres://app:h%40dden@localhost/shop',
    'postgres://app@[::1]:5433/shop', 'postgres://app@127.0.0.1',
    'postgres://app@%2Fvar%2Frun%2Fpostgresql/shop',
    'postgres://app@/shop?host=/var/run/postgresql',
    'postgres://app@127.0.0.1/shop?sslmode=disable&connect_timeout=3'
	. '&application_name=me&options=-c%20work_mem%3D1MB',
    'postgres://app@127.0.0.1/shop?sslmode=verify-full&sslrootcert=front.crt',
    'postgres://app@127.0.0.1/shop?sslcert=front.crt&sslkey=front.key',
    'postgres://app@127.0.0.1/shop?keepalives=0&tcp_user_timeout=0',
    'postgres://app@127.0.0.1/shop?keepalives=1&keepalives_idle=10'
	. '&keepalives_interval=5&keepalives_count=2&tcp_user_timeout=9000',
    'mysql://app@127.0.0.1/shop', 'mariadb://app:hidden@127.0.0.1:3307',
    'mysql://app@127.0.0.1/shop?ssl-mode=VERIFY_IDENTITY&ssl-ca=front.crt',
    'mysql://app@127.0.0.1/shop?sslMode=verify-full&ssl=true&useSSL=false',
    'mysql://app@127.0.0.1/shop?charset=utf8mb4&connectTimeout=3000'
	. '&program_name=me&allowPublicKeyRetrieval=true'
	. '&useCompression=true&allowLoadLocalInfile=1',
    'mysql://app@127.0.0.1/shop?charset=latin1&collation=latin1_bin'
	. '&connect_timeout=3',
    'mysql://app@/shop?socket=/run/mysqld/mysqld.sock')
{
	is(error(origin => $origin), '', $origin);
}

for my $parameters ('password_file=secret', 'cleartext_password=on',
    'weight=3', 'max_fails=0 fail_timeout=3s', 'max_conns=4', 'down')
{
	is(error(origin => "$url $parameters"), '', $parameters);
}

for my $parameters ('role=primary', 'role=replica', 'role=auto') {
	is(error(origin => "$url role=primary;\n        "
		. 'hyperdrive_origin  postgres://app@127.0.0.1:5433/shop '
		. $parameters), '', $parameters);
}

for my $attrs ('any', 'primary', 'read-write') {
	is(error(origin => "$url?target_session_attrs=$attrs"), '',
		"target_session_attrs=$attrs");
}

for my $split ('on', 'off', 'on max_lag=1s', 'on max_staleness=1m max_lag=5s')
{
	is(error(more => "hyperdrive_read_write_split $split;"), '',
		"split $split");
}

for my $pool ('max=1', 'max=10000 min=10000', 'queue=0', 'statements=1',
    'idle=1s lifetime=1d wait=100ms check=5s', 'check=off')
{
	is(error(pool => $pool), '', "pool $pool");
}

is(error(cache => 'shop'), '', 'a cache');
is(error(cache => 'shop max_age=500ms max_size=64k'), '', 'with parameters');
is(error(cache => 'shop stale_while_revalidate=15s stale_if_error=1h '
	. 'coalesce=500ms verify=0.5%'), '', 'with all parameters');
is(error(cache => 'shop stale_while_revalidate=off stale_if_error=off '
	. 'coalesce=off verify=off'), '', 'with parameters that are off');
is(error(cache => 'shop allow_stable'), '', 'allow_stable');
is(error(cache => 'off'), '', 'off');

is(error(more => "hyperdrive_replication $_;"), '', "replication $_")
	for qw(on off);
wrong(qr/invalid value "maybe" in "hyperdrive_replication".*"on" or "off"/,
	'replication', more => 'hyperdrive_replication maybe;');

for my $more ('hyperdrive_catalog refresh=100ms', 'hyperdrive_catalog off',
    'hyperdrive_function f reads', 'hyperdrive_function app.f writes a b.c')
{
	is(error(pool => "max=20; $more"), '', $more);
}

is(error(users => 'users.txt'), '', 'users');
is(error(zone => 'shop 64k'), '', 'the smallest zone');

###############################################################################
# Wrong: what it says.

my @origins = (
	'nonsense' => qr/invalid URL in "hyperdrive_origin"/,
	'http://app@h/shop' => qr/invalid URL|postgres:\/\//,
	'mysql://:hidden@127.0.0.1/shop' => qr/password and no user.*write/,
	'mysql://app@127.0.0.1/shop?nonsense=1' =>
		qr/unknown parameter "nonsense".*known are ssl-mode/,
	'mysql://app@127.0.0.1/shop?options=1' =>
		qr/unknown parameter "options"/,
	'mysql://app@127.0.0.1/shop?ssl-mode=maybe' =>
		qr/invalid ssl-mode "maybe".*write DISABLED.*VERIFY_IDENTITY/,
	'mysql://app@127.0.0.1/shop?ssl=maybe' =>
		qr/invalid ssl "maybe".*write true or false/,
	'mysql://app@127.0.0.1/shop?connectTimeout=3600001' =>
		qr/invalid connectTimeout.*milliseconds, 1 to 3600000/,
	'mysql://app@127.0.0.1/shop?connect_timeout=3601' =>
		qr/invalid connect_timeout.*seconds, 1 to 3600/,
	'mysql://app@127.0.0.1/shop?charset=klingon' =>
		qr/unknown charset "klingon".*write utf8mb4/,
	'mysql://app@127.0.0.1/shop?collation=klingon_ci' =>
		qr/unknown collation "klingon_ci".*write utf8mb4_general_ci/,
	'mysql://app@127.0.0.1/shop?charset=latin1&collation=utf8mb4_bin' =>
		qr/collation that is not of its charset/,
	'mysql://app@127.0.0.1/shop?allowPublicKeyRetrieval=maybe' =>
		qr/invalid allowPublicKeyRetrieval "maybe".*true or false/,
	'mysql://app@127.0.0.1/shop?compression-algorithms=zlib,lz4' =>
		qr/invalid compression-algorithms "lz4".*zlib, zstd and unc/,
	'mysql://app@127.0.0.1/shop?compress=zstd' =>
		qr/invalid compress "zstd".*true or false/,
	'mysql://app@127.0.0.1/shop?local_infile=' =>
		qr/invalid local_infile "".*true or false/,
	'mysql://app@127.0.0.1/shop?server-public-key-path=nothing.pem' =>
		qr/nothing\.pem.*No such file/,
	'mysql://app@127.0.0.1/shop?server-public-key-path=front.crt' =>
		qr/no public key in ".*front\.crt".*public_key\.pem/,
	'mysql://app@127.0.0.1/shop?ssl-mode=DISABLED&ssl-ca=front.crt' =>
		qr/certificates and sslmode=disable/,
	'postgres://:hidden@127.0.0.1/shop' => qr/password and no user.*write/,
	'postgres://127.0.0.1/shop password_file=secret' =>
		qr/password and no user/,
	'postgres://127.0.0.1/shop' => qr/"hyperdrive_users off".*no user.*write/,
	'postgres://app@127.0.0.1:0/shop' => qr/invalid URL.*port/,
	'postgres://app@127.0.0.1:65536/shop' => qr/invalid URL.*port/,
	'postgres://app@127.0.0.1:12x/shop' => qr/invalid URL.*port/,
	'postgres://app@127.0.0.1:/sh%op' => qr/invalid URL/,
	'postgres://app:hidden%zz@127.0.0.1/shop' => qr/invalid URL/,
	'postgres://app@127.0.0.1/sh%00op' => qr/invalid URL/,
	'postgres://app@[::1/shop' => qr/invalid URL/,
	'postgres://app@127.0.0.1/shop?sslmode' => qr/invalid URL/,
	'postgres://app@127.0.0.1/shop?nonsense=1' =>
		qr/unknown parameter "nonsense".*known are sslmode/,
	'postgres://app@127.0.0.1/shop?sslmode=maybe' =>
		qr/invalid sslmode "maybe".*write disable.*verify-full/,
	'postgres://app@127.0.0.1/shop?sslmode=' => qr/sslmode/,
	'postgres://app@127.0.0.1/shop?connect_timeout=0' =>
		qr/invalid connect_timeout "0".*1 to 3600/,
	'postgres://app@127.0.0.1/shop?connect_timeout=3601' =>
		qr/invalid connect_timeout "3601"/,
	'postgres://app@127.0.0.1/shop?connect_timeout=x' =>
		qr/invalid connect_timeout "x"/,
	'postgres://app@127.0.0.1/shop?keepalives=2' =>
		qr/invalid keepalives "2".*number from 0 to 1/,
	'postgres://app@127.0.0.1/shop?keepalives_idle=x' =>
		qr/invalid keepalives_idle "x".*0 to 32767/,
	'postgres://app@127.0.0.1/shop?keepalives_interval=32768' =>
		qr/invalid keepalives_interval "32768"/,
	'postgres://app@127.0.0.1/shop?keepalives_count=128' =>
		qr/invalid keepalives_count "128".*0 to 127/,
	'postgres://app@127.0.0.1/shop?tcp_user_timeout=-1' =>
		qr/invalid tcp_user_timeout "-1".*0 to 3600000/,
	'postgres://app@127.0.0.1/shop?sslcert=front.crt' =>
		qr/only one of sslcert and sslkey.*write both/,
	'postgres://app@127.0.0.1/shop?sslkey=front.key' =>
		qr/only one of sslcert and sslkey/,
	'postgres://app@127.0.0.1/shop?sslcert=nothing.crt&sslkey=front.key' =>
		qr/nothing\.crt.*No such file/,
	'postgres://app@127.0.0.1/shop?sslcert=front.crt&sslkey=other.key' =>
		qr/sslkey that does not belong to its sslcert/,
	'postgres://app@127.0.0.1/shop?sslrootcert=nothing.crt' =>
		qr/nothing\.crt.*No such file/,
	'postgres://app@127.0.0.1/shop?sslmode=disable&sslrootcert=front.crt'
		=> qr/certificates and sslmode=disable/,
	'postgres://app@name.invalid/shop' =>
		qr/host not found in "name\.invalid:5432" of "hyperdrive_origin"/,
);

while (my ($origin, $message) = splice @origins, 0, 2) {
	wrong($message, $origin, origin => $origin);
}

my @parameters = (
	'nonsense' => qr/invalid parameter "nonsense" of "hyperdrive_origin"/,
	'nonsense=1' => qr/invalid parameter "nonsense=1".*known are password/,
	'weight=0' => qr/invalid parameter "weight=0"/,
	'weight=x' => qr/invalid parameter "weight=x"/,
	'weight=' => qr/invalid parameter "weight="/,
	'max_conns=x' => qr/invalid parameter "max_conns=x"/,
	'max_fails=-1' => qr/invalid parameter "max_fails=-1"/,
	'fail_timeout=x' => qr/invalid parameter "fail_timeout=x"/,
	'cleartext_password=maybe' =>
		qr/invalid parameter "cleartext_password=maybe"/,
	'role=standby' => qr/invalid parameter "role=standby".*role=primary\|rep/,
	'password_file=nothing' => qr/nothing" failed.*No such file/,
	'password_file=empty' =>
		qr/first line of password_file ".*empty" is empty/,
	'password_file=long' =>
		qr/first line of password_file ".*long" is too long/,
	'password_file=wide' =>
		qr/first line of password_file ".*wide" has a zero byte in it/,
	'password_file=' => qr/Is a directory/,
	'weight=2 weight=3' => qr/"weight=3" of "hyperdrive_origin" stands twice/,
	'down down' => qr/"down" of "hyperdrive_origin" stands twice/,
);

while (my ($parameter, $message) = splice @parameters, 0, 2) {
	wrong($message, $parameter, origin => "$url $parameter");
}

my $another = "$url;\n hyperdrive_origin  "
	. 'postgres://app:hidden@127.0.0.1:5433/shop';

my @replicas = (
	'?target_session_attrs=any  role=replica' => '',
	'?target_session_attrs=standby' =>
		qr/invalid target_session_attrs "standby".*role=replica/,
	'?target_session_attrs=primary  role=replica' =>
		qr/has target_session_attrs and role=replica/,
);

while (my ($replica, $message) = splice @replicas, 0, 2) {

	if ($message) {
		wrong($message, $replica, origin => $another . $replica);

	} else {
		is(error(origin => $another . $replica), '', $replica);
	}
}

for my $method ('least_conn;', 'random;', 'hash $remote_addr consistent;',
    'zone up 64k;', 'zone up 64k; least_conn;')
{
	is(error(before => $method, origin => "$another role=replica"), '',
		"replicas and $method");
}

like(error(pool => 'max=2', origin => "$another role=replica"),
	qr/"max" of "hyperdrive_pool" of upstream "shop" in .*write max=3/,
	'no connection is left by the monitor');
like(error(origin => 'postgres://127.0.0.1/shop; hyperdrive_origin '
	. 'postgres://127.0.0.1:5433/shop role=replica', users => 'users.txt'),
	qr/is a replica, and names no user: write.*:\d+$/,
	'a replica without a user');
like(error(origin => 'postgres://127.0.0.1/shop?target_session_attrs=primary',
	users => 'users.txt'),
	qr/target_session_attrs without a user in the URL/,
	'target_session_attrs without a user');

for my $split ('maybe', 'on max_lag=999ms', 'on max_lag=x', 'on max_lag',
    'on max_staleness=0', 'on nonsense=1', 'on max_lag=2s max_lag=3s')
{
	my ($word) = $split =~ /(\S+)$/;

	wrong(qr/\Q$word\E".*"hyperdrive_read_write_split"/, "split $split",
		more => "hyperdrive_read_write_split $split;");
}

wrong(qr/takes no parameters when it is "off"/, 'split off with a parameter',
	more => 'hyperdrive_read_write_split off max_lag=2s;');

wrong(qr/"hyperdrive_read_write_split" directive is duplicate/, 'split twice',
	more => "hyperdrive_read_write_split on;\n "
	. "hyperdrive_read_write_split on;");

for my $parameters ('?target_session_attrs=primary resolve',
    ' role=auto resolve')
{
	is(error(stream => 'resolver 127.0.0.1;',
		origin => "postgres://app\@name.example/shop$parameters"), '',
		"a primary that moves: $parameters");
}

my $seats = 'postgres://app@%d.example/shop role=replica resolve';

is(error(stream => 'resolver 127.0.0.1;', origin => join(
	";\n        hyperdrive_origin ", 'postgres://app@127.0.0.1/shop',
	map { sprintf($seats, $_) } 1 .. 4)), '', 'four names of replicas');
like(error(stream => 'resolver 127.0.0.1;', origin => join(
	";\n        hyperdrive_origin ", 'postgres://app@127.0.0.1/shop',
	map { sprintf($seats, $_) } 1 .. 5)),
	qr/80 replicas in upstream.*at most 64, one with "resolve" counts as 16/,
	'...and one too many');

# the same of MySQL

for my $parameters ('role=replica', 'role=auto') {
	is(error(origin => 'mysql://app:hidden@127.0.0.1/shop;'
		. "\n        hyperdrive_origin mysql://app:hidden\@127.0.0.2/shop "
		. $parameters), '', "MySQL: $parameters");
}

is(error(origin => 'mysql://app:hidden@127.0.0.1/shop'
	. '?targetSessionAttrs=read-write'), '', 'MySQL: target_session_attrs');
wrong(qr/invalid target_session_attrs "standby"/, 'MySQL: another one',
	origin => 'mysql://app:hidden@127.0.0.1/shop'
	. '?target_session_attrs=standby');

my @pools = (
	'max=0' => qr/invalid value in "max=0" of "hyperdrive_pool".*1 to/,
	'max=10001' => qr/invalid value in "max=10001".*1 to 10000/,
	'max=x' => qr/invalid value in "max=x"/,
	'max=-1' => qr/invalid value in "max=-1"/,
	'max=' => qr/invalid value in "max="/,
	'max_user=0' => qr/invalid value in "max_user=0".*1 to 10000/,
	'max_db=x' => qr/invalid value in "max_db=x"/,
	'min=x' => qr/invalid value in "min=x".*0 to 10000/,
	'max=3 min=4' => qr/"min" that is larger than "max"/,
	'min=21' => qr/"min" that is larger than "max"/,
	'queue=30001' => qr/invalid value in "queue=30001".*0 to 30000/,
	'statements=0' => qr/invalid value in "statements=0".*1 to 10000/,
	'statements=10001' => qr/invalid value in "statements=10001"/,
	'idle=0' => qr/invalid time in "idle=0".*write for instance/,
	'idle=x' => qr/invalid time in "idle=x"/,
	'lifetime=0' => qr/invalid time in "lifetime=0"/,
	'lifetime=-1s' => qr/invalid time in "lifetime=-1s"/,
	'wait=0' => qr/invalid time in "wait=0"/,
	'wait=10sec' => qr/invalid time in "wait=10sec"/,
	'nonsense' => qr/invalid parameter "nonsense" of "hyperdrive_pool"/,
	'nonsense=1' => qr/invalid parameter "nonsense=1".*known are max=N/,
	'check=0' => qr/invalid time in "check=0".*write for instance/,
	'check=on' => qr/invalid time in "check=on"/,
	'max=5 min=1 max=6' => qr/"max=6" of "hyperdrive_pool" stands twice/,
);

while (my ($pool, $message) = splice @pools, 0, 2) {
	wrong($message, "pool $pool", pool => $pool);
}

my @caches = (
	'nothing' => qr/no zone "nothing".*write hyperdrive_cache_zone nothing/,
	'shop max_age=0' => qr/invalid time in "max_age=0".*write for instance/,
	'shop max_age=x' => qr/invalid time in "max_age=x"/,
	'shop stale_while_revalidate=x'
		=> qr/invalid time in "stale_while_revalidate=x".*or off/,
	'shop stale_if_error=30d30d' => qr/invalid time in "stale_if_error=/,
	'shop coalesce=-1' => qr/invalid time in "coalesce=-1".*write for/,
	'shop in_transaction=serializable'
		=> qr/invalid value in "in_transaction=serializable".*or off/,
	'shop verify=1' => qr/invalid share in "verify=1".*write for instance 1%/,
	'shop verify=101%' => qr/invalid share in "verify=101%"/,
	'shop verify=x%' => qr/invalid share in "verify=x%"/,
	'shop max_size=0' => qr/invalid size in "max_size=0".*write for/,
	'shop max_size=x' => qr/invalid size in "max_size=x"/,
	'shop nonsense=1' => qr/invalid parameter "nonsense=1".*known are max_/,
	'off max_age=1s' => qr/takes no parameters when it is "off"/,
	'shop allow_stable=1' => qr/invalid parameter "allow_stable=1"/,
	'shop max_age=1s max_age=2s' => qr/"max_age=2s" of.*stands twice: write/,
);

while (my ($cache, $message) = splice @caches, 0, 2) {
	wrong($message, "cache $cache", cache => $cache);
}

my @catalogs = (
	'catalog refresh=0' => qr/invalid parameter "refresh=0" of .*100ms/,
	'catalog refresh=99ms' => qr/invalid parameter "refresh=99ms"/,
	'catalog refresh=x' => qr/invalid parameter "refresh=x".*write for inst/,
	'catalog on' => qr/invalid parameter "on".*or off/,
	'catalog' => qr/invalid number of arguments/,
	'catalog off; hyperdrive_catalog off' => qr/is duplicate/,
	'function f' => qr/invalid number of arguments/,
	'function f changes a' => qr/invalid parameter "changes".*write reads/,
	'function f reads; hyperdrive_function f writes'
		=> qr/function "f" stands twice in "hyperdrive_function"/,
);

while (my ($catalog, $message) = splice @catalogs, 0, 2) {
	wrong($message, $catalog, pool => "max=20; hyperdrive_$catalog");
}

my @zones = (
	'shop' => qr/invalid number of arguments/,
	'shop 1k' => qr/invalid size "1k" of "hyperdrive_cache_zone".*64k/,
	'shop x' => qr/invalid size "x" of "hyperdrive_cache_zone"/,
	'shop -1' => qr/invalid size "-1"/,
	"shop 8m; hyperdrive_cache_zone  shop 8m" => qr/"shop"/,
);

while (my ($zone, $message) = splice @zones, 0, 2) {
	wrong($message, "zone $zone", zone => $zone);
}

my @users = (
	'nothing.txt' => qr/nothing\.txt" failed.*No such file/,
	'none' => qr/none" failed.*No such file/,
);

while (my ($users, $message) = splice @users, 0, 2) {
	wrong($message, "users $users", users => $users);
}

my $auth = 'hyperdrive_auth_query "SELECT f($1)"';

my @more = (
	{ users => 'off query' } => qr/takes nothing else when it is "off"/,
	{ users => 'users.txt users.txt' } => qr/is a second file.*write one/,
	{ users => 'query' } =>
		qr/no "hyperdrive_auth_query" in upstream "shop".*pg_shadow/,
	{ users => 'query', origin => 'mysql://app@127.0.0.1/shop' } =>
		qr/no "hyperdrive_auth_query".*mysql\.user WHERE host = '%'/,
	{ users => 'cert' } => qr/no certificates are verified for "cert"/,
	{ users => 'users.txt cert', more => "ssl_certificate front.crt;\n"
		. "ssl_certificate_key front.key;\nssl_client_certificate "
		. "front.crt;\nssl_verify_client optional_no_ca;" } =>
		qr/no certificates are verified for "cert".*on or optional/,
	{ before => 'hyperdrive_auth_query "SELECT 1";' } =>
		qr/needs a query.*with the user's name as \$1: write/,
	{ before => "$auth nonsense=1;" } =>
		qr/invalid parameter "nonsense=1".*known are user=NAME/,
	{ before => "$auth valid=0;" } => qr/invalid time in "valid=0"/,
	{ before => "$auth user=a user=b;" } => qr/"user=b" of.*stands twice/,
	{ before => "$auth valid=2h;" } => qr/invalid time in "valid=2h"/,
	{ before => "$auth password_file=secret;" } =>
		qr/password_file and no user: write user=NAME/,
	{ before => "$auth;\n$auth;" } => qr/is duplicate/,
	{ before => "$auth;", origin => 'postgres://127.0.0.1/shop',
		users => 'query' } => qr/no user for "hyperdrive_auth_query"/,
	{ before => "$auth;", origin => 'postgres://app:hidden@127.0.0.1' } =>
		qr/no database for "hyperdrive_auth_query".*write database=/,
	{ origin => 'postgres://127.0.0.1/shop', users => 'users.txt',
		pool => 'min=1' } => qr/"min" of "hyperdrive_pool" without a user/,
	{ origin => "$url;\nhyperdrive_origin postgres://127.0.0.2/shop",
		users => 'users.txt' } => qr/names a user and another/,
);

while (my ($o, $message) = splice @more, 0, 2) {
	wrong($message, join(', ', map { "$_ $o->{$_}" =~ s/\n/ /gr }
		sort keys %$o), %$o);
}

is(error(origin => 'postgres://127.0.0.1/shop', users => 'users.txt query',
	before => "$auth user=app password_file=secret valid=1s database=x;"), '',
	'users that are looked up');

my @settings = (
	'maybe' => qr/invalid "maybe" in "hyperdrive_session_settings": write "tr/,
	'track maybe' => qr/invalid "maybe".*write "track" or "transaction"/,
	"track;\nhyperdrive_session_settings track" => qr/is duplicate/,
);

while (my ($setting, $message) = splice @settings, 0, 2) {
	wrong($message, "session settings $setting" =~ s/\n/ /r,
		more => "hyperdrive_session_settings $setting;");
}

my @states = (
	'maybe' => qr/unknown "maybe" in "hyperdrive_session_state": write "pin"/,
	'pin max=0' => qr/invalid "max=0".*from 1 to 65535, as in max=10/,
	'pin max=x' => qr/invalid "max=x"/,
	'reject max=1' => qr/unknown parameter "max=1".*known are max=NUMBER with/,
	'pin unread=x' => qr/invalid "unread=x".*unread=pin or unread=reset/,
	'pin nonsense=1' => qr/unknown parameter "nonsense=1".*known are/,
	'pin max=2 max=3' => qr/"max=3" of "hyperdrive_session_state" stands tw/,
	"pin;\nhyperdrive_session_state reject" => qr/is duplicate/,
);

while (my ($state, $message) = splice @states, 0, 2) {
	wrong($message, "session state $state" =~ s/\n/ /r,
		more => "hyperdrive_session_state $state;");
}

my @timeouts = (
	'login=0' => qr/invalid time in "login=0" of "hyperdrive_timeout".*at most 24d in/,
	'login=off' => qr/invalid time in "login=off"/,
	'query=x' => qr/invalid time in "query=x".*write for instance.*or off/,
	'idle=25d' => qr/invalid time in "idle=25d".*at most 24d/,
	'client_idle=' => qr/invalid time in "client_idle="/,
	'query=1s query=2s' => qr/"query=2s" of "hyperdrive_timeout" stands tw/,
	'nonsense=1s' => qr/invalid parameter "nonsense=1s".*known are login=/,
);

while (my ($timeout, $message) = splice @timeouts, 0, 2) {
	wrong($message, "timeout $timeout",
		more => "hyperdrive_timeout $timeout;");
}

is(error(more => 'hyperdrive_timeout login=5s query=1h idle=off '
	. 'client_idle=24d idle_in_transaction=500ms;'), '', 'timeouts');

my @drains = (
	'rate=0' => qr/invalid parameter "rate=0" of "hyperdrive_drain": write rate/,
	'rate=1000001' => qr/invalid parameter "rate=1000001"/,
	'rate=x' => qr/invalid parameter "rate=x"/,
	'rate=1 rate=2' => qr/invalid parameter "rate=2".*each once/,
	'deadline=0' => qr/invalid parameter "deadline=0"/,
	'deadline=25d' => qr/invalid parameter "deadline=25d".*at most 24d/,
	'deadline=off' => qr/invalid parameter "deadline=off"/,
	'nonsense=1' => qr/invalid parameter "nonsense=1"/,
	"rate=1;\nhyperdrive_drain rate=2" => qr/is duplicate/,
);

while (my ($drain, $message) = splice @drains, 0, 2) {
	wrong($message, "drain $drain" =~ s/\n/ /r,
		stream => "hyperdrive_drain $drain;");
}

is(error(stream => 'hyperdrive_drain rate=1000000 deadline=24d;'), '', 'drain');
is(error(stream => 'hyperdrive_drain deadline=500ms;'), '', 'a deadline');

my @files = (
	qq{"a" "b"\n"c\n} => qr/bad\.txt", line 2: write "name" "password"/,
	qq{"a" "b"\nc d\n} => qr/line 2/,
	qq{"a"\n} => qr/line 1/,
	qq{"a" "b" "c" \n"e" nonsense\n} => qr/line [12]/,
	qq{; comment\n\n"a" hidden\n} => qr/line 3/,
	qq{"a" "hidden"\n"b" "x"\n"a" "hidden"\n} =>
		qr/user "a" stands twice in users file/,
);

while (my ($content, $message) = splice @files, 0, 2) {
	$t->write_file('bad.txt', $content);
	wrong($message, 'users file ' . ($content =~ s/\n/, /gr),
		users => 'bad.txt');
}

# what cannot become a verifier would be found too late, when a reload is
# under way already

for my $case ([ 'mysql://app@127.0.0.1', 'hidden' x 50,
		qr/secret of user "app".*passwords of MySQL have at most 255/ ],
	[ 'postgres://app@127.0.0.1/shop', 'SCRAM-SHA-256$4096:c2FsdA==$hidden',
		qr/secret of user "app".*is no whole SCRAM verifier/ ])
{
	my ($origin, $secret, $message) = @$case;

	$t->write_file('bad.txt', qq{"ok" "x"\n"app" "$secret"\n});
	wrong($message, "a secret for $origin", users => 'bad.txt',
		origin => $origin);
}

###############################################################################
# What belongs together.

wrong(qr/no "hyperdrive_users" for "hyperdrive_pass".*write hyperdrive_users/,
	'no users', users => undef);
wrong(qr/no upstream "nothing" with a "hyperdrive_origin" for "hyperdrive_pass"/,
	'no upstream', pass => 'nothing');

like(text("upstream u {\n server 127.0.0.1:5432;\n}\nserver {\n listen "
	. "127.0.0.1:8080;\n hyperdrive_pass u;\n hyperdrive_users off;\n}"),
	qr/no upstream "u" with a "hyperdrive_origin".*:\d+/,
	'an upstream without an origin');

like(text("upstream u {\n hyperdrive_pool max=3;\n}\nserver {\n listen "
	. "127.0.0.1:8080;\n hyperdrive_pass u;\n hyperdrive_users off;\n}"),
	qr/no servers are inside upstream|no upstream "u" with/,
	'an upstream with a pool only');

is(error(origin => 'mysql://app@127.0.0.1', users => 'query',
	before => 'hyperdrive_auth_query "SELECT $1";'), '',
	'users of MySQL are looked up, and need no database');
like(error(origin => "$url;\n hyperdrive_origin "
	. 'mysql://app@127.0.0.2/shop'),
	qr/has another protocol than the first hyperdrive_origin.*:\d+$/,
	'two protocols');
like(error(origin => "$url;\n hyperdrive_origin $url"),
	qr/has the address of another hyperdrive_origin.*:\d+$/,
	'one address twice');

like(error(origin => "$url;\n hyperdrive_origin "
	. 'postgres://app:hidden@127.0.0.1:5433/store'),
	qr/names another database than the first hyperdrive_origin.*:\d+$/,
	'another database');

like(error(origin => "$url;\n hyperdrive_origin "
	. 'postgres://app:hidden@127.0.0.1:5433'),
	qr/names another database/, 'no database in the second');

is(error(origin => "$url;\n hyperdrive_origin "
	. 'postgres://app:hidden@127.0.0.1:5433/shop backup'), '',
	'two of one database');

like(error(before => 'hash $remote_addr;', origin => "$url backup"),
	qr/balancing method does not support parameter "backup"/,
	'backup with hash');

like(error(origin => "$url;\n server 127.0.0.1:5434"),
	qr/"server" beside "hyperdrive_origin" in upstream "shop" in .*:\d+/, 'a server beside an origin');

like(text("server {\n hyperdrive_origin $url;\n}"),
	qr/"hyperdrive_origin" directive is not allowed here/,
	'an origin in a server');
like(text("upstream u {\n hyperdrive_pass u;\n}"),
	qr/"hyperdrive_pass" directive is not allowed here/,
	'pass in an upstream');
like(text("server {\n hyperdrive_pool max=1;\n}"),
	qr/"hyperdrive_pool" directive is not allowed here/,
	'a pool in a server');
like(text("server {\n hyperdrive_cache_zone a 1m;\n}"),
	qr/"hyperdrive_cache_zone" directive is not allowed here/,
	'a zone in a server');

like(error(listen => '127.0.0.1:8080 udp'),
	qr/"udp" of "listen" in the server with "hyperdrive_pass" in .*:\d+/,
	'UDP');
like(error(more => 'return hello;'),
	qr/another directive answers the clients .*"hyperdrive_pass" in .*:\d+/,
	'another handler');

# what the processes share has no room for them: they would end as they begin

is(text('upstream ' . 'u' x 64 . " {\n hyperdrive_origin $url;\n}"), '',
	'the longest name of an upstream');
like(text('upstream ' . 'u' x 65 . " {\n hyperdrive_origin $url;\n}"),
	qr/the name of upstream "u+" is too long: write one of at most 64.*:\d+$/,
	'...and one that is longer');
is(text(join('', map { "upstream u$_ {\n hyperdrive_origin $url;\n}\n" }
	1 .. 64)), '', 'as many upstreams as there may be');
like(text(join('', map { "upstream u$_ {\n hyperdrive_origin $url;\n}\n" }
	1 .. 65)), qr/upstream "u65" is one too many: at most 64.*:\d+$/,
	'...and one more');

is($t->conf_error("worker_processes 128;\n" . conf()), '',
	'as many processes as there may be');
like($t->conf_error("worker_processes 129;\n" . conf()),
	qr/129 worker processes are too many: write "worker_processes" .* 128/,
	'...and one more');

for my $twice ('hyperdrive_pass shop', 'hyperdrive_users off',
    'hyperdrive_cache shop', 'hyperdrive_cache off')
{
	like(error(cache => 'shop', more => "$twice;"), qr/is duplicate/,
		"$twice, twice");
}

like(error(more => 'hyperdrive_channel_binding maybe;'),
	qr/invalid value "maybe" in "hyperdrive_channel_binding"/,
	'channel binding');
is(error(more => 'hyperdrive_channel_binding off;'), '',
	'channel binding off');
like($t->conf_error("http {\n server {\n listen 127.0.0.1:8090;\n "
	. "location / {\n hyperdrive_status on;\n }\n }\n}"),
	qr/invalid number of arguments in "hyperdrive_status"/, 'status');

# the query log

my $dir = $t->testdir();

my @logs = (
	"syslog:server=1.2.3.4" => qr/invalid file "syslog:.*write the name/,
	'""' => qr/invalid file "".*write the name of a file/,
	"'$dir/\$pid.log'" => qr/invalid file ".*" of .*without variables/,
	"$dir/q.log text" => qr/no variable in the format "text".*write for/,
	"$dir/q.log level=1" => qr/invalid parameter "level=1".*known are/,
	"$dir/q.log '\$'" => qr/invalid variable in the format.*at "\$".*write/,
	"$dir/q.log '\${pid x'" => qr/invalid variable .*at "\$\{pid x"/,
	"$dir/q.log escape=yes" => qr/invalid "escape=yes".*default, json or/,
	"$dir/q.log buffer=1" => qr/invalid size in "buffer=1".*write for/,
	"$dir/q.log buffer=x" => qr/invalid size in "buffer=x"/,
	"$dir/q.log flush=1s" => qr/"flush" of .* without a buffer: write buffer/,
	"$dir/q.log buffer=4k flush=x" => qr/invalid time in "flush=x".*write/,
	"$dir/q.log if=" => qr/empty "if" of .*write for instance/,
	"off '\$pid'" => qr/takes no parameters when it is "off"/,
	"off; hyperdrive_query_log off" => qr/is duplicate/,
	"$dir/q.log; hyperdrive_query_log off" => qr/is duplicate/,
	"off; hyperdrive_query_log $dir/q.log" => qr/is duplicate/,
	"$dir/q.log; hyperdrive_query_log $dir/q.log buffer=4k"
		=> qr/another buffer goes into .*write the same buffer= and/,
	"$dir/q.log buffer=4k; hyperdrive_query_log $dir/q.log buffer=8k"
		=> qr/another buffer goes into/,
);

while (my ($log, $message) = splice(@logs, 0, 2)) {
	wrong($message, "query log $log", more => "hyperdrive_query_log $log;");
}

for my $log ('off', "$dir/q.log", "$dir/q.log 'a=\$pid' ' b' escape=none",
    "$dir/q.log if=\$pid; hyperdrive_query_log $dir/q.log '\${pid}'",
    "$dir/r.log buffer=4k flush=1s; "
	. "hyperdrive_query_log $dir/r.log buffer=4k flush=1s '\$pid'")
{
	is(error(more => "hyperdrive_query_log $log;"), '', "query log $log");
}

$t->done_testing();

###############################################################################

sub text {
	my ($stream) = @_;
	return $t->conf_error("stream {\n$stream\n}");
}

sub error {
	my ($conf, $line) = conf(@_);
	return $t->conf_error($conf);
}

sub conf {
	my (%o) = @_;

	my %d = (before => '', origin => $url, pool => 'max=20',
		zone => 'shop 8m', pass => 'shop', users => 'off', more => '',
		stream => '', listen => '127.0.0.1:8080', %o);

	$d{users} = defined $d{users} ? "hyperdrive_users  $d{users};" : '';
	$d{cache} = defined $d{cache} ? "hyperdrive_cache  $d{cache};" : '';

	return <<"EOS";
stream {
    hyperdrive_cache_zone  $d{zone};
    $d{stream}

    upstream shop {
        $d{before}
        hyperdrive_origin  $d{origin};
        hyperdrive_pool    $d{pool};
    }

    server {
        listen           $d{listen};
        hyperdrive_pass  $d{pass};
        $d{users}
        $d{cache}
        $d{more}
    }
}
EOS
}

# What is wrong, in which file and line, and no password in anything.

sub wrong {
	my ($message, $name, %o) = @_;

	my $conf = conf(%o);
	my ($rc, $out) = $t->conf_test($conf);

	my $error = join('', $out =~ /\[emerg\] (.*)/g);

	like($error, $message, $name);
	like($error, qr/(?:conf_test\.conf:\d+|in .*, line \d+)/,
		"$name, where");

	unlike($out . $t->read_file('conf_test.log'), qr/hidden/,
		"$name, no password");
}

###############################################################################
