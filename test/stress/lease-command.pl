#!/usr/bin/perl
# The command under a lease in the stress harness: reports when another one runs at the same time, and writes to a store that
# refuses old epochs.
use strict;
use warnings;
use Fcntl qw(:flock);
use Time::HiRes qw(sleep time);

my ( $home, $contender, $seconds ) = @ARGV;
my $epoch = $ENV{LOCK_DOCTOR_EPOCH};

sub report {
    my ($line) = @_;
    open my $log, '>>', "$home/events" or die "events: $!";
    syswrite $log, "$line\n";
}

# A process that reuses a PID has another start time, and therefore another name here.
sub start_ticks {
    my ($pid) = @_;
    open my $file, '<', "/proc/$pid/stat" or return '';
    my $stat = <$file> // '';
    my ($rest) = $stat =~ /^.*\) (.*)$/s or return '';
    my @fields = split / /, $rest;
    return $fields[0] =~ /[ZX]/ ? '' : $fields[19];
}

my $own = join '-', $$, start_ticks($$), $contender, $epoch;
open my $slot, '>', "$home/slots/$own" or die "slot: $!";
opendir my $slots, "$home/slots" or die "slots: $!";
for my $name ( readdir $slots ) {
    next if $name =~ /^\./ || $name eq $own;
    my ( $pid, $ticks ) = split /-/, $name;
    if ( start_ticks($pid) eq $ticks && -e "$home/slots/$name" && start_ticks($pid) eq $ticks ) { report("overlap $own $name") }
    else { unlink "$home/slots/$name" }
}
report("begun $own");

my $until = time + $seconds;
while ( time < $until ) {
    sleep 0.05;
    open my $store, '+<', "$home/store" or die "store: $!";
    flock $store, LOCK_EX or die "flock: $!";
    my $last = <$store> // 0;
    if ( $epoch < $last ) { report("refused $own $last"); next }
    seek $store, 0, 0;
    print {$store} $epoch;
    close $store;
    open my $log, '>>', "$home/written" or die "written: $!";
    syswrite $log, "$epoch\n" if $epoch != $last;
}
unlink "$home/slots/$own";
