#!/bin/bash
# Healthy when the node's RPC server answers: its root path says 200 to plain HTTP/1.1.
set -euo pipefail
exec 3<>/dev/tcp/127.0.0.1/57291
printf 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r -t 3 status <&3
[[ $status == "HTTP/1.1 200"* ]]
