#!/usr/bin/env bash
# Make sure that the programs are there which judge what we write: DICOM (dicom3tools, dcmtk, dcm2niix), HTML (tidy), PDF (poppler).
# Installs only what is missing, only as root or with passwordless sudo, only where there is apt-get. Always exits 0:
# a test whose program is missing is skipped and says so.
set -uo pipefail
packages="dicom3tools dcmtk dcm2niix tidy poppler-utils"
lacking=
for program in dciodvfy:dicom3tools dcentvfy:dicom3tools dsrdump:dcmtk dcm2niix:dcm2niix tidy:tidy pdftoppm:poppler-utils; do
    command -v "${program%%:*}" >/dev/null || lacking="$lacking ${program%%:*}"
done
[ -z "$lacking" ] && exit 0

become=
if command -v apt-get >/dev/null; then
    if [ "$(id -u)" = 0 ]; then
        become="env"
    elif sudo -n true 2>/dev/null; then
        become="sudo -n env"
    fi
fi
if [ -n "$become" ] && [ "${TRAJPLAN_NO_APT:-}" = "" ]; then
    echo "installing what judges our files:$lacking"
    export LC_ALL=C
    $become DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 update >/dev/null \
        && $become DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 \
            install -y --no-install-recommends $packages >/dev/null \
        && exit 0
fi
echo "TESTS WITH$lacking ARE LEFT OUT. As root: apt-get update && apt-get install -y --no-install-recommends $packages"
