#!/usr/bin/env bash
# apt-install.sh PACKAGE...: install Debian packages, only as root or with passwordless sudo, only where there is apt-get.
# Exit 0: installed. Exit 1: not allowed (TRAJPLAN_NO_APT), not possible or failed.
set -uo pipefail
[ "${TRAJPLAN_NO_APT:-}" = "" ] || exit 1
command -v apt-get >/dev/null || exit 1
if [ "$(id -u)" = 0 ]; then
    become="env"
elif sudo -n true 2>/dev/null; then
    become="sudo -n env"
else
    exit 1
fi
export LC_ALL=C
apt() { $become DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@" >/dev/null; }
apt update && apt install -y --no-install-recommends "$@"
