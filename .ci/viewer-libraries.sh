#!/usr/bin/env bash
# Make sure that the system libraries of the viewer tests (Xvfb, GL, xcb) are there; $1 is the venv's Python.
# Exit 0: the viewer tests can run. Exit 1: they cannot, and the command that a person must run was printed.
# Installs only what is missing (apt-install.sh).
set -euo pipefail
python=${1:?usage: viewer-libraries.sh PYTHON}
packages="xvfb xauth libegl1 libgl1 libglib2.0-0 libdbus-1-3 libfontconfig1 \
libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0"
command="apt-get update && apt-get install -y --no-install-recommends $packages"

[ "$(uname -s)" = Linux ] || exit 0 # Qt on macOS and Windows brings what it needs

# Asking the loader, not the package manager, gives the same answer on every distribution.
missing() {
    command -v Xvfb >/dev/null || echo Xvfb
    "$python" - <<'PY'
import ctypes

for name in (
    "libEGL.so.1", "libGL.so.1", "libglib-2.0.so.0", "libdbus-1.so.3", "libfontconfig.so.1",
    "libxkbcommon-x11.so.0", "libxcb-cursor.so.0", "libxcb-icccm.so.4", "libxcb-keysyms.so.1", "libxcb-shape.so.0",
):
    try:
        ctypes.CDLL(name)
    except OSError:
        print(name)
PY
}

lacking=$(missing)
[ -z "$lacking" ] && exit 0

echo "installing what the viewer tests need, where that is allowed:" $lacking
if "$(dirname "$0")/apt-install.sh" $packages; then
    lacking=$(missing)
    [ -z "$lacking" ] && exit 0
fi

cat <<MESSAGE
######################################################################################
#  VIEWER TESTS ARE LEFT OUT: this machine lacks $(echo $lacking)
#  Run this once as root, then \`make test\` again:
#
#  $command
######################################################################################
MESSAGE
exit 1
