#!/bin/bash
# Run a one-node Miden network: bootstrap an empty data directory, then validator and sequencer.
#
# Ends when either of the two ends, with its exit code; SIGTERM and SIGINT stop both, exit code 0.
# The sequencer reads its settings from the environment (MIDEN_NODE_*, see its --help).
set -euo pipefail

version=0.15.2
data=/data
marker=$data/.bootstrapped
unfinished=$data/.bootstrapping
parts=(validator node genesis accounts)
rpc_listen=0.0.0.0:57291
validator_port=50101
stop_limit_s=8

say() { printf 'entrypoint: %s\n' "$*"; }
fail() {
    printf 'entrypoint: %s\n' "$*" >&2
    exit 64
}

bootstrap() {
    # A bootstrap that was cut short left its marker: what it wrote is ours and worth nothing.
    if [[ -e $unfinished ]]; then
        (cd "$data" && rm -rf "${parts[@]}" "$unfinished")
    fi
    [[ -w $data ]] || fail "$data is not writable for user $(id -u): give it to that user"
    [[ -z $(ls -A "$data") ]] ||
        fail "$data holds files but no network: mount an empty directory, or one made by this image"
    touch "$unfinished"
    (cd "$data" && mkdir "${parts[@]}")
    miden-validator bootstrap --data-directory "$data/validator" \
        --genesis-block-directory "$data/genesis" --accounts-directory "$data/accounts"
    miden-node bootstrap --data-directory "$data/node" --file "$data/genesis/genesis.dat"
    printf '%s\n' "$version" >"$unfinished"
    mv "$unfinished" "$marker"
}

stopping=
pids=()
stop_both() {
    stopping=yes
    ((${#pids[@]} == 0)) || kill -TERM "${pids[@]}" 2>/dev/null || true
}
trap stop_both TERM INT

if [[ -e $marker ]]; then
    found=$(<"$marker")
    [[ $found == "$version" ]] ||
        fail "$data was made by version $found, this is $version: mount another directory"
    say "network found in $data"
else
    say "bootstrapping a new network in $data"
    bootstrap
fi
[[ -z $stopping ]] || exit 0

miden-validator start --listen "127.0.0.1:$validator_port" --data-directory "$data/validator" &
pids+=("$!")
# Nothing listens at the network transaction builder's address, nor need it: only its own calls use it.
miden-node sequencer --rpc.listen "$rpc_listen" --data-directory "$data/node" \
    --validator.url "http://127.0.0.1:$validator_port" --ntx-builder.url http://127.0.0.1:50301 &
pids+=("$!")
# A signal may have come between the two starts, when only the first was known.
[[ -z $stopping ]] || stop_both

code=0
wait -n "${pids[@]}" || code=$?
if [[ -z $stopping ]]; then
    ((code != 0)) || code=1
    say "a part of the node ended by itself (exit code $code): stopping the other"
    stop_both
else
    code=0
fi

# Both have heard SIGTERM; who does not listen is killed before Docker kills everything.
(sleep "$stop_limit_s" && kill -KILL "${pids[@]}" 2>/dev/null) &
limit=$!
for pid in "${pids[@]}"; do
    while kill -0 "$pid" 2>/dev/null; do wait "$pid" || true; done
done
kill "$limit" 2>/dev/null || true
say "stopped"
exit "$code"
