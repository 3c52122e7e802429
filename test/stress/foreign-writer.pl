#!/usr/bin/perl
# Takes and releases locks as the newer Go release does: flock on agent.lock.flock, the whole record to agent.lock.tmp,
# rename. A record with a dead PID is stale. Arguments: town, oracle directory.
use strict;
use warnings;
use Fcntl qw(:flock);
use Time::HiRes qw(sleep);

my ($town, $oracle) = @ARGV;
opendir(my $d, $town) or die;
my @workers = grep { !/^\./ } readdir($d);

sub ticks {
  my ($pid) = @_;
  open(my $f, '<', "/proc/$pid/stat") or return '';
  my $line = <$f> // '';
  $line =~ s/^.*\)\s//s or return '';
  my @fields = split / /, $line;
  return $fields[0] =~ /[ZXx]/ ? '' : $fields[19];
}

sub event {
  my ($letter, $text) = @_;
  open(my $f, '>>', "$oracle/events") or die;
  syswrite($f, $letter);
  return unless defined $text;
  open(my $g, '>>', "$oracle/details") or die;
  syswrite($g, "$text\n");
}

sub slots { my ($w) = @_; opendir(my $s, "$oracle/slots-$w") or die; return grep { !/^\./ } readdir($s); }

my $own = "$$-" . ticks($$);
while (1) {
  my $w = $workers[rand @workers];
  my $lock = "$town/$w/.runtime/agent.lock";
  my $got = 0;
  open(my $guard, '>>', "$lock.flock") or die "guard: $!";
  flock($guard, LOCK_EX) or die "flock: $!";
  my $held = 0;
  if (open(my $f, '<', $lock)) {
    local $/;
    my ($pid) = (<$f> // '') =~ /"pid":\s*(\d+)/;
    $held = 1 if defined $pid && $pid != $$ && ticks($pid) ne '';
  }
  if (!$held) {
    open(my $t, '>', "$lock.tmp") or die "tmp: $!";
    print $t "{\n  \"pid\": $$,\n  \"acquired_at\": \"2026-01-01T00:00:00Z\"\n}";
    close($t);
    rename("$lock.tmp", $lock) or die "rename: $!";
    $got = 1;
  }
  close($guard);
  if ($got) {
    open(my $s, '>', "$oracle/slots-$w/$own") or die;
    close($s);
    event('a');
    for my $other (slots($w)) {
      next if $other eq $own;
      my ($pid, $ticks) = split /-/, $other;
      my $alive = ticks($pid) eq $ticks && (grep { $_ eq $other } slots($w)) && ticks($pid) eq $ticks;
      event('O', "overlaps: foreign $own and $other both hold $w") if $alive;
      unlink("$oracle/slots-$w/$other") if !$alive && ticks($pid) ne $ticks;
    }
    sleep(rand(0.006));
    my $still = 0;
    if (open(my $f, '<', $lock)) { local $/; $still = (<$f> // '') =~ /"pid":\s*$$\b/; }
    event('L', "lost: foreign $own lost $w") unless $still;
    unlink("$oracle/slots-$w/$own");
    unlink($lock);
    event('r');
  } else {
    event('h');
  }
  sleep(rand(0.004));
}
