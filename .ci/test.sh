#!/usr/bin/env bash
# Run the whole suite with $1 (the venv's Python); further arguments go to pytest. Ends with pytest's summary line.
set -euo pipefail
python=${1:?usage: test.sh PYTHON [pytest arguments]}
shift
cd "$(dirname "$0")/.."

select="not long"
plugins=()
if ! .ci/viewer-libraries.sh "$python"; then
    select="not long and not viewer"
    plugins=(-p no:pytest-qt -p no:xvfb) # pytest-qt loads Qt at start, which would end the run here
fi

.ci/validators.sh

# One BLAS thread a worker: two workers already fill two cores. numba keeps its compiled kernels in the venv,
# so that the second run is quick and the source tree stays clean. Xvfb needs the xcb platform, not offscreen.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
export NUMBA_CACHE_DIR=${NUMBA_CACHE_DIR:-$(dirname "$(dirname "$python")")/numba-cache}
export MPLBACKEND=Agg
exec env -u QT_QPA_PLATFORM "$python" -m pytest -n "${WORKERS:-2}" -m "$select" "${plugins[@]}" "$@"
