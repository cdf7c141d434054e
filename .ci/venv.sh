#!/usr/bin/env bash
# Create the virtual environment $1 with a Python >= 3.11, or say exactly what is missing.
# PYTHON, when set, is the interpreter to use; otherwise python3, then python3.13, 3.12, 3.11.
set -euo pipefail
venv=${1:?usage: venv.sh FOLDER}
say() { printf '%s\n' "$*" >&2; }

new_enough() { "$1" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

if [ -x "$venv/bin/python" ] && new_enough "$venv/bin/python" && "$venv/bin/python" -m pip --version >/dev/null 2>&1
then
    exit 0
fi

chosen=
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if new_enough "$candidate"; then
        chosen=$candidate
        break
    fi
done
if [ -z "$chosen" ]; then
    say "trajplan needs Python 3.11 or newer; found: $(${PYTHON:-python3} --version 2>&1 || true)"
    say "Install one (Debian 12, Ubuntu 24.04 and later: apt-get install python3 python3-venv),"
    say "or name one you have: make demo PYTHON=/path/to/python3.12"
    exit 1
fi

# Debian and Ubuntu ship Python without ensurepip: venv then stops half-way.
if ! "$chosen" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    version=$("$chosen" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
    package=$version-venv
    case $(command -v "$chosen") in */python3) package=python3-venv ;; esac
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing $package"
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq >&2
        apt-get install -y -qq --no-install-recommends "$package" >&2
    else
        say "$chosen cannot make a virtual environment here. Run this once, then try again:"
        say "    sudo apt-get install $package"
        exit 1
    fi
fi

say "creating $venv with $("$chosen" --version)"
"$chosen" -m venv --clear "$venv"
