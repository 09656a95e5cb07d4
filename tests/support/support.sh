# Helpers of the script tests; sourced by bash with the environment that ioa_script_test (tests/CMakeLists.txt) sets:
#   IOA_PROGRAM  the ioanneal program        IOA_SOURCE, IOA_BINARY  source and build folder
#   MPIEXEC, MPIEXEC_NUMPROC_FLAG            the MPI launcher CMake found
#   IOA_SHARED   data and instances that are no part of the project (default: shared/ beside the source folder)
# A test works in a scratch folder that is removed at its end: $work is the current folder, everything that the helpers
# store is outside of it, so that "nothing left behind" means an empty or unchanged $work.

set -u
export LC_ALL=C
: "${IOA_PROGRAM:?is set by CTest}" "${IOA_SOURCE:?is set by CTest}"
IOA_SHARED=${IOA_SHARED:-$IOA_SOURCE/../shared}

scratch=$(mktemp -d "${TMPDIR:-/tmp}/ioa-test.XXXXXX") || exit 1
work=$scratch/work
out=$scratch/out # standard output and error of the last command
err=$scratch/err
trap 'rm -rf "$scratch"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir "$work" && cd "$work" || exit 1

# Shared-memory segments of the ranks go here: what is left after the runs is ours for certain.
segments=$scratch/segments
mkdir "$segments" || exit 1
export OMPI_MCA_btl_vader_backing_directory=$segments
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_ess_singleton_isolated=1 # one rank without a launcher needs no daemon

skip() { # REASON
    echo "skipped: $*"
    exit 77
}

note() { # part of a test that cannot run here
    echo "part skipped: $*"
}

fail() {
    echo "FAILED: $*"
    [ -s "$out" ] && { echo "--- standard output"; head -c 4000 "$out"; }
    [ -s "$err" ] && { echo "--- standard error"; head -c 4000 "$err"; }
    exit 1
}

# A Python with h5py and numpy, or nothing; a Python for JSON.
h5python=
for candidate in ${PYTHON:-} python3 /usr/bin/python3; do
    if "$candidate" -c 'import h5py, numpy' >/dev/null 2>&1; then
        h5python=$candidate
        break
    fi
done
python=$h5python
[ -n "$python" ] || python=$(command -v python3 || true)
no_h5python="python3 with h5py and numpy is missing (Debian: python3-h5py)"

# expect_exit CODE COMMAND ARGUMENTS...  runs it; its output is in $out and $err.
expect_exit() {
    local wanted=$1 code=0
    shift
    "$@" >"$out" 2>"$err" </dev/null || code=$?
    [ "$code" -eq "$wanted" ] || fail "exit code $code instead of $wanted: $*"
}

# ioa ARGUMENTS...: the program without a launcher. Open MPI leaks, so leaks count in subcommands without it only.
ioa() {
    if [ "${1:-}" = optimize ]; then
        ASAN_OPTIONS=detect_leaks=0 "$IOA_PROGRAM" "$@"
    else
        "$IOA_PROGRAM" "$@"
    fi
}

# mpi RANKS ARGUMENTS...: the program under the launcher, more ranks than cores if need be.
mpi() {
    local ranks=$1
    shift
    ASAN_OPTIONS=detect_leaks=0 "$MPIEXEC" "$MPIEXEC_NUMPROC_FLAG" "$ranks" --oversubscribe --bind-to none "$IOA_PROGRAM" "$@"
}

# expect_one_line PATTERN...: standard error holds one line, it is ours and matches every pattern (extended regular
# expressions). The launcher's own epilogue is not counted (`expect_one_line --mpi PATTERN...`).
expect_one_line() {
    local ours pattern
    if [ "${1:-}" = --mpi ]; then
        shift
        ours=$(grep '^ioanneal' "$err")
    else
        ours=$(cat "$err")
    fi
    [ "$(printf '%s\n' "$ours" | wc -l)" -eq 1 ] && [ -n "$ours" ] || fail "standard error is not exactly one line"
    for pattern in '^ioanneal( [a-z]+)?: ' "$@"; do
        printf '%s\n' "$ours" | grep -Eq -- "$pattern" || fail "the line does not match '$pattern'"
    done
}

# refuse PATTERN... -- ARGUMENTS...: the program ends with exit code 2 and one line that matches every pattern. A test that
# starts it otherwise sets `refused` to how, and `refused_line` to what expect_one_line needs before the patterns.
refused=(ioa)
refused_line=()
refuse() {
    local patterns=()
    while [ "$1" != -- ]; do
        patterns+=("$1")
        shift
    done
    shift
    expect_exit 2 "${refused[@]}" "$@"
    expect_one_line "${refused_line[@]}" "${patterns[@]}"
}

expect_text() { # PATTERN in standard output of the last command
    grep -Eq -- "$1" "$out" || fail "standard output does not match '$1'"
}

# Names in the current folder, hidden ones included: `before=$(listing)` .. `expect_listing "$before"`.
listing() {
    ls -A
}

expect_listing() {
    [ "$(listing)" = "$1" ] || fail "files were left behind or lost: $(diff <(echo "$1") <(listing) | grep '^[<>]' | tr '\n' ' ')"
}

# json FILE EXPRESSION: prints a Python expression over the document `d`; "" without Python.
have_json() {
    [ -n "$python" ]
}

json() {
    "$python" -c 'import json, sys
d = json.load(open(sys.argv[1]))
print(eval(sys.argv[2]))' "$1" "$2"
}

expect_json() { # FILE EXPRESSION: is true
    have_json || return 0
    local value
    value=$(json "$1" "$2" 2>&1) || fail "JSON: $2: $value in $(head -c 1000 "$1")"
    [ "$value" = True ] || fail "JSON: not true: $2 in $(head -c 1000 "$1")"
}

json_file=$scratch/result.json
ioa_json() { # ARGUMENTS...: exit code 0, standard output to $json_file
    expect_exit 0 ioa "$@" --json
    cp "$out" "$json_file"
}

# The order of schedule NNNN as raw little-endian bytes on standard output.
raw_order() { # ARCHIVE NNNN
    h5dump -d "/schedules/$2/order" -b LE -o "$scratch/order.raw" "$1" >/dev/null 2>&1 || fail "$1: h5dump finds no order $2"
    cat "$scratch/order.raw"
}

expect_clean() { # after MPI runs: nothing left in shared memory, no temporary files
    local left
    left=$(ls -A "$segments"; ls -A | grep '\.tmp$')
    [ -z "$left" ] || fail "left behind: $left"
}
