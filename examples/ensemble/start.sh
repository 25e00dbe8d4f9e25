#!/bin/sh
# A member's number is what stands behind the last dash of its name, counted from 1: zk-0 is server.1.
set -e
mkdir -p /data
[ -e /data/myid ] || echo $((${HOSTNAME##*-} + 1)) >/data/myid
exec zookernel start-foreground /etc/zookernel/zoo.cfg
