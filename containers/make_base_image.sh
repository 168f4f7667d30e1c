#!/bin/sh
# Make a small Debian 12 image out of Debian's packages, for machines that can pull no image.
#
# usage: make_base_image.sh [TAG]          (default mosaic-harness-base:bookworm)
#
# Needs root, debootstrap, tar and a Docker that answers. Takes about 100 s and 250 MB of
# temporary space, once: when the tag exists already, nothing is done.
#   DEBIAN_MIRROR   where debootstrap takes packages from (default: the mirror of its own choice)
#   http_proxy      honoured by debootstrap as usual
#   TMPDIR          where the tree is put together (default /tmp)
set -eu

tag=${1:-mosaic-harness-base:bookworm}
suite=bookworm

fail() {
    printf 'make_base_image.sh: %s\n' "$*" >&2
    exit 1
}

command -v docker >/dev/null 2>&1 || fail "docker is not installed: install Docker (Debian: apt-get install docker.io)"
docker info >/dev/null 2>&1 || fail "Docker does not answer: start its service, or join the group docker"
if docker image inspect "$tag" >/dev/null 2>&1; then
    printf '%s exists\n' "$tag"
    exit 0
fi
for program in debootstrap tar; do
    command -v "$program" >/dev/null 2>&1 ||
        fail "$program is not installed: install it (Debian and Ubuntu: apt-get install $program)"
done
[ "$(id -u)" = 0 ] || fail "debootstrap needs root: run  sudo $0 $tag"

work=$(mktemp -d "${TMPDIR:-/tmp}/mosaic-base-image.XXXXXX")
child=
cleanup() {
    # debootstrap mounts proc inside its tree: never delete through a mount.
    umount "$work/rootfs/proc" 2>/dev/null || true
    umount "$work/rootfs/sys" 2>/dev/null || true
    rm -rf --one-file-system "$work"
}
interrupted() {
    [ -z "$child" ] || kill "$child" 2>/dev/null || true
    exit 130
}
trap cleanup EXIT
trap interrupted HUP INT TERM

printf 'debootstrap %s (about 90 s)\n' "$suite"
# In the background, so that a signal is acted on at once and not when debootstrap is done.
debootstrap --variant=minbase --include=ca-certificates "$suite" "$work/rootfs" \
    ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >"$work/log" 2>&1 &
child=$!
wait "$child" || {
    tail -n 20 "$work/log" >&2
    fail "debootstrap could not make the tree: are the Debian mirror (DEBIAN_MIRROR) and the disk in order?"
}
child=

# What a node never reads: half of the size.
rm -rf "$work"/rootfs/var/lib/apt/lists/* "$work"/rootfs/var/cache/apt/* \
    "$work"/rootfs/var/log/* "$work"/rootfs/usr/share/doc "$work"/rootfs/usr/share/man \
    "$work"/rootfs/usr/share/locale "$work"/rootfs/usr/share/info "$work"/rootfs/usr/share/zoneinfo
tar -C "$work/rootfs" --numeric-owner -c . | docker import \
    --change 'CMD ["/bin/sh"]' --message "Debian $suite, minbase with ca-certificates" - "$tag" >/dev/null
printf '%s made\n' "$tag"
