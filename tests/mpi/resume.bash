# Shared by the tests of checkpoints; sourced after tests/support/support.sh. A search that takes a second or two, its
# uninterrupted result whole.h5, and comparisons.
. "$IOA_SOURCE/tests/mpi/same.bash"
expect_exit 0 ioa generate mlp --widths 30,50,40,10 --density 0.1 --seed 3 -o net.h5
search=(net.h5 -q --memory 8,24 --rounds 40 --proposals 1500 --seed 11 --timing 0 --replicas 5)

# launch RANKS ARGUMENTS...: in the background; $launcher is its process id.
launch() {
    local ranks=$1
    shift
    ASAN_OPTIONS=detect_leaks=0 "$MPIEXEC" "$MPIEXEC_NUMPROC_FLAG" "$ranks" --oversubscribe --bind-to none "$IOA_PROGRAM" optimize \
        "$@" >"$out" 2>"$err" </dev/null &
    launcher=$!
}

# ended CODE: waits for the launched run.
ended() {
    local code=0
    wait "$launcher" || code=$?
    [ "$code" -eq "$1" ] || fail "exit code $code instead of $1"
}

# rank_process N: process id of the n-th process the launcher started (1 ..); empty if there is none (yet).
rank_process() {
    pgrep -P "$launcher" -f "$IOA_PROGRAM" | sed -n "$1p"
}

# await COMMAND...: until it succeeds, half a minute at most.
await() {
    local i
    for ((i = 0; i < 600; i++)); do
        "$@" && return 0
        sleep 0.05
    done
    fail "waited in vain for: $*"
}

said() { # PATTERN on standard error of the last command
    grep -Eq -- "$1" "$err" || fail "standard error does not match '$1'"
}
