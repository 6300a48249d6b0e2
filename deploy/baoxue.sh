#!/bin/sh
# Runs a command of baoxue as the service's user, with the service's configuration; see deploy/README.md.
exec sudo --user=baoxue -- /opt/baoxue/current/bin/baoxue --config /etc/baoxue/config.toml "$@"
