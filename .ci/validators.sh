#!/usr/bin/env bash
# Make sure that the programs are there which judge what we write: DICOM (dicom3tools, dcmtk, dcm2niix), HTML (tidy), PDF (poppler).
# Installs only what is missing (apt-install.sh). Always exits 0:
# a test whose program is missing is skipped and says so.
set -uo pipefail
packages="dicom3tools dcmtk dcm2niix tidy poppler-utils"
lacking=
for program in dciodvfy:dicom3tools dcentvfy:dicom3tools dsrdump:dcmtk dcm2niix:dcm2niix tidy:tidy pdftoppm:poppler-utils; do
    command -v "${program%%:*}" >/dev/null || lacking="$lacking ${program%%:*}"
done
[ -z "$lacking" ] && exit 0

echo "installing what judges our files, where that is allowed:$lacking"
"$(dirname "$0")/apt-install.sh" $packages && exit 0
echo "TESTS WITH$lacking ARE LEFT OUT. As root: apt-get update && apt-get install -y --no-install-recommends $packages"
