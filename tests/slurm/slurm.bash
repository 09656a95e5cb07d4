# Shared by the SLURM tests; sourced first. Starts the test again on a cluster of its own (cluster.sh) and provides: a network,
# a search with its uninterrupted result whole.h5, jobs that do the same search, and what waits for things to happen. Jobs are
# interrupted when they have got somewhere, not after some time, and are frozen while SLURM takes its time.
if [ -z "${CLUSTER:-}" ]; then exec bash "$IOA_SOURCE/tests/slurm/cluster.sh" bash "$0" "$@"; fi
export TMPDIR=$CLUSTER # nothing outlives the cluster
. "$IOA_SUPPORT/support.sh"
unset OMPI_MCA_btl_vader_backing_directory # the cluster's /dev/shm is its own
unset "${!SBATCH_@}"
. "$IOA_SOURCE/tests/mpi/resume.bash"
export PATH="$IOA_BINARY/bin:$PATH" # ioanneal and ioanneal-job
export ASAN_OPTIONS=detect_leaks=0 # Open MPI leaks
jobs=$IOA_SOURCE/jobs

fail() {
    echo "FAILED: $*"
    for file in "$out" "$err" *.log *.state "$CLUSTER/log/slurmctld"; do
        [ -s "$file" ] && { echo "--- $file"; tail -n 40 "$file"; }
    done
    timeout 10 squeue
    exit 1
}

search=(--memory 8,24 --policy min --seed 11 --rounds 150 --replicas 3 --proposals 2000 --timing 0)
export IOA_NETWORK=net.h5 IOA_MEMORY=8,24 IOA_SEED=11 IOA_BUDGET='--rounds 150' IOA_REPLICAS=3 IOA_END_MARGIN=5
export IOA_OPTIONS='--proposals 2000 --timing 0 --checkpoint-every 0.1'
uninterrupted() { # makes whole.h5
    expect_exit 0 mpi 2 optimize net.h5 -q "${search[@]}" -o whole.h5
}

# await SECONDS COMMAND...: until it succeeds; on a machine that does ten other things, too.
await() {
    local until=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $until ] || fail "waited in vain for: $*"
        sleep 0.1
    done
}

# submit LAUNCHER NAME SBATCH-OPTIONS...: optimize.sbatch over both nodes; the job's number is then in $id.
submit() {
    local launcher=$1 name=$2
    shift 2
    id=$(IOA_LAUNCHER=$launcher timeout 30 sbatch --parsable -J "$name" --nodes=2 --ntasks-per-node=1 --time=10 "$@" "$jobs/optimize.sbatch") ||
        fail "sbatch does not take the job"
}

job_state() { # ID
    timeout 10 scontrol show job -o "$1" | sed -n 's/.* JobState=\([A-Z_]*\).*/\1/p'
}

is() { # STATE ID
    [ "$(job_state "$2")" = "$1" ]
}

restarted() { # ID: the number of times
    timeout 10 scontrol show job -o "$1" | sed -n 's/.* Restarts=\([0-9]*\).*/\1/p'
}

# finished ID: waits; COMPLETED or the test fails.
finished() {
    local state until=$((SECONDS + 150))
    while state=$(job_state "$1"); do
        case $state in
        COMPLETED) return 0 ;;
        PENDING | CONFIGURING | RUNNING | COMPLETING | '') ;;
        *) fail "job $1 is $state" ;;
        esac
        [ $SECONDS -lt $until ] || fail "job $1 does not finish: $state"
        sleep 0.2
    done
}

# All ranks of a job, on all nodes, of the launcher's children those that search.
ranks_of() { # ARCHIVE
    pgrep -f "^[^ ]*ioanneal optimize .*-o $1 "
}

freeze() { # ARCHIVE: once its search has written a checkpoint it stands still
    await 60 test -e "${1%.h5}.ckpt"
    # shellcheck disable=SC2046
    kill -STOP $(ranks_of "$1") || fail "$1: too late, nothing runs any more"
    [ ! -e "$1" ] || fail "$1: too late, it is done"
}

thaw() { # ARCHIVE
    # shellcheck disable=SC2046
    kill -CONT $(ranks_of "$1") 2>/dev/null || true
}

log_says() { # FILE PATTERN
    grep -Eq -- "$2" "$1"
}

# resumed_and_same ID NAME: job ID finished after at least one resumption, with the archive of the uninterrupted run.
resumed_and_same() {
    finished "$1"
    log_says "$2-$1.log" '^resumed: ' || fail "job $1 was not resumed"
    same whole.h5 "$2-$1.h5"
    [ ! -e "$2-$1.ckpt" ] || fail "job $1 has left its checkpoint"
    log_says "$2-$1.state" '^outcome=finished$' || fail "the state of job $1 is not 'finished'"
}
