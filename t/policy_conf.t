#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: what nginx -t says to policies that are wrong.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;

###############################################################################

my $t = Test::Hyperdrive->new();

$t->write_file('good.lua', "return { cache = false }\n")
	->write_file('bad.lua', "\n\nreturn {\n")
	->write_file('compiled.lua', "\x1bLJ\x02\x00")
	->write_file('long.lua', '-' x 1048577);

###############################################################################
# Right.

for my $rule ('cache=off', 'cache=on max_age=5s', '~ "a b" cache=off',
    '~* "^select .* from prices" max_age=5s', 'table=orders cache=off',
    'user=report upstream=shop', 'kind=ddl reject="not here, not now"',
    'kind=ddl "reject=not here; nor there"', 'reject="x" sqlstate=57014',
    'table=a.b writes=c function=d priority=-10', 'tls=off addr=::1 pin',
    'addr=10.0.0.0/8 read_only=on role=replica', 'tag.a=b var.status=200 pin',
    'setting.app.tenant=red key=red tables=a,b.c tags=d timeout=0',
    'digest=0123456789abcdef stale_while_revalidate=1m stale_if_error=1h '
    . 'mirror=shop', 'default')
{
	is(error("hyperdrive_rule $rule;"), '', $rule);
}

for my $lua ('', 'return { cache = false }', 'local a = "}" return nil',
    "local a = '}' -- }\n", '--[[ } ]] --[==[ ]] } ]==]',
    'local a = [[ } ]] .. [=[ ]] } ]=]', 'local t = { { }, {} }',
    'local a = "\\"}" local b = 1 - -1', 'return { ["a"] = t[t[1]] }',
    "-- \"\n", "-- '\n", '--[ }' . "\n", '--[=} ' . "\n", 'x' . ' ' x 20000
    . 'y()', "\n" x 10000)
{
	my $name = substr($lua, 0, 40) =~ s/\n/ /gr;
	$lua = 'local x' if $lua =~ /^x/;
	is(error("hyperdrive_policy_by_lua_block {$lua}"), '', "Lua: $name");
}

is(error('hyperdrive_policy_by_lua_block {' . "\n-- " . 'x' x 5000
	. "\nlocal a = '}'\n}"), '', 'longer than what is read at once');
is(error('hyperdrive_policy_by_lua_file good.lua;'), '', 'a file');
is(error('hyperdrive_params_by_lua_block { return } '
	. 'hyperdrive_rule table=a params;'), '', 'parameters');
is(error('', 'hyperdrive_policy_dict 1g; hyperdrive_policy_limits memory=1g;'),
	'', 'the largest sizes');
is(error('', 'hyperdrive_policy_dict 32k; hyperdrive_policy_limits '
	. 'instructions=1000 memory=64k;'), '', 'for all');

###############################################################################
# Wrong: what it says.

my @wrong = (
	'' => qr/invalid number of arguments in "hyperdrive_rule"/,
	'table=orders' => qr/does not say what to do: write for instance cache=off/,
	'cache=maybe' => qr/invalid "cache=maybe".*write on or off/,
	'cache=off cache=on' => qr/"cache=on" of.*stands twice: write each action/,
	'var.nothing=1 cache=off' => qr/unknown "nothing" variable/,
	'table=a params' => qr/no "hyperdrive_params_by_lua_block" for "params"/,
	'max_age=soon' => qr/invalid "max_age=soon".*write a time, as in 500ms/,
	'max_age=' => qr/invalid "max_age=".*write a time/,
	'timeout=-1' => qr/invalid "timeout=-1".*write a time/,
	'kind=select cache=off' => qr/invalid "kind=select".*as in kind=read/,
	'table=.x cache=off' => qr/invalid "table=\.x".*table=shop\.orders/,
	'digest=123 cache=off' => qr/invalid "digest=123".*16 hexadecimal/,
	'tls=maybe cache=off' => qr/invalid "tls=maybe".*write on or off/,
	'addr=10.0.0.300 cache=off' => qr/invalid "addr=10\.0\.0\.300".*as in addr=10\.0\.0\.0\/8/,
	'priority=11' => qr/invalid "priority=11".*from -10 to 10/,
	'role=master' => qr/invalid "role=master".*primary or replica/,
	'sqlstate=42501' => qr/"sqlstate".*without a "reject"/,
	'reject=x sqlstate=1' => qr/invalid "sqlstate=1".*five digits/,
	'reject=x sqlstate=00000' => qr/invalid "sqlstate=00000"/,
	'reject="x y' => qr/no closing quote behind "reject="x"|unexpected end/,
	'tags=a,,b' => qr/invalid "tags=a,,b".*at most 16 names/,
	'tables=' . join(',', 1 .. 17) => qr/invalid "tables=1,.*at most 16/,
	'upstream=nowhere' => qr/no upstream "nowhere" with a "hyperdrive_origin" for "hyperdrive_rule" in \S+:\d+: write upstream nowhere/,
	'mirror=nowhere' => qr/no upstream "nowhere"/,
	'~' => qr/no pattern behind "~"/,
	'~ "(" cache=off' => qr/invalid pattern "\(" of "hyperdrive_rule"/,
	'cahce=off' => qr/invalid parameter "cahce=off".*conditions are.*cache=/,
	'tag.=x cache=off' => qr/invalid parameter "tag\.=x"/,
	'tag.x cache=off' => qr/invalid parameter "tag\.x"/,
);

while (my ($rule, $expected) = splice @wrong, 0, 2) {
	like(error("hyperdrive_rule $rule;"), $expected, "rule: $rule");
}

my ($line) = error('nonsense;') =~ /:(\d+)$/;

like(error('hyperdrive_policy_by_lua_block { return {{{{{'),
	qr/unexpected end of file, the block in Lua that begins in line $line has no "}"/,
	'no brace');
like(error("hyperdrive_policy_by_lua_block {\n\nreturn if\n}"),
	qr/invalid Lua in "hyperdrive_policy_by_lua_block": \S*conf_test.conf:@{[ $line + 2 ]}: .* near 'if'/,
	'syntax, with its line');
like(error("hyperdrive_policy_by_lua_block {\n\n}\nnonsense on;"),
	qr/unknown directive "nonsense" in \S+:@{[ $line + 3 ]}$/,
	'the line of what follows');
like(error("hyperdrive_params_by_lua_block { x( }"),
	qr/invalid Lua in "hyperdrive_params_by_lua_block"/,
	'syntax, of parameters');
like(error('hyperdrive_policy_by_lua_block {} '
	. 'hyperdrive_policy_by_lua_block {}'),
	qr/"hyperdrive_policy_by_lua_block" directive is duplicate/,
	'twice');
like(error('hyperdrive_policy_by_lua_block {} '
	. 'hyperdrive_policy_by_lua_file good.lua;'),
	qr/directive is duplicate: there is a block/, 'a block and a file');
like(error('hyperdrive_policy_by_lua_file bad.lua;'),
	qr/invalid Lua in "hyperdrive_policy_by_lua_file": \S*bad.lua:\d+: /,
	'syntax, of a file');
like(error('hyperdrive_policy_by_lua_file none.lua;'),
	qr/open\(\) "\S+none.lua" failed/, 'no file');
like(error('hyperdrive_policy_by_lua_file compiled.lua;'),
	qr/invalid Lua in "hyperdrive_policy_by_lua_file"/,
	'what is compiled already');
like(error('hyperdrive_policy_by_lua_file long.lua;'),
	qr/"\S+long.lua" is longer than 1048576 bytes/, 'a long file');

for my $size ('1k', '2g', 'x') {
	like(error('', "hyperdrive_policy_dict $size;"),
		qr/invalid size "$size" of "hyperdrive_policy_dict": write for instance 1m/,
		"dict $size");
}

like(error('', 'hyperdrive_policy_dict 1m; hyperdrive_policy_dict 1m;'),
	qr/"hyperdrive_policy_dict" directive is duplicate/, 'dict, twice');

for my $limit ('instructions=10', 'memory=1k', 'instructions=x') {
	like(error('', "hyperdrive_policy_limits $limit;"),
		qr/invalid "$limit" of "hyperdrive_policy_limits": write a/,
		"limits $limit");
}

like(error('', 'hyperdrive_policy_limits time=1s;'),
	qr/invalid parameter "time=1s".*known are instructions=NUMBER and memory=SIZE/,
	'limits that are not known');

$t->done_testing();

###############################################################################

# What nginx -t says about <server> and <stream>; '': nothing.

sub error {
	my ($server, $stream) = @_;

	$stream //= '';

	return $t->conf_error(<<"EOS");
%%TEST_GLOBALS%%
events {
}
stream {
    $stream
    hyperdrive_cache_zone shop 1m;
    upstream shop {
        hyperdrive_origin postgres://app\@127.0.0.1/shop;
    }
    server {
        listen 127.0.0.1:8080;
        hyperdrive_pass shop; hyperdrive_users off; hyperdrive_cache shop;
        $server
    }
}
EOS
}

###############################################################################
