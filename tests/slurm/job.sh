#!/usr/bin/env bash
# ioanneal-job without any scheduler: exit codes, what is given back and what is not, the state file; submit.sh --dry-run.
. "$IOA_SUPPORT/support.sh"
. "$IOA_SOURCE/tests/mpi/resume.bash"
for v in ${!SLURM_*}; do unset "$v"; done
export PATH="$IOA_BINARY/bin:$PATH"
search=(--memory 8,24 --rounds 40 --proposals 1500 --seed 11 --timing 0 --replicas 5)
export IOA_LAUNCHER=none ASAN_OPTIONS=detect_leaks=0
expect_exit 0 ioa optimize net.h5 -q "${search[@]}" -o whole.h5
echo 'echo back >>"$1"' >back.sh
back() { # how often the job was given back
    if [ -e back ]; then wc -l <back; else echo 0; fi
}
state() { # KEY VALUE
    grep -qx "$1=$2" best.state || fail "the state file does not say $1=$2: $(tr '\n' ' ' <best.state)"
}

# ---- stopped, resumed, done; done again
expect_exit 75 ioanneal-job net.h5 -o best.h5 "${search[@]}" --pause-after 7
state outcome stopped
[ -e best.ckpt ] || fail "there is no checkpoint"
IOA_REQUEUE='sh back.sh back' expect_exit 75 ioanneal-job net.h5 -o best.h5 "${search[@]}" --pause-after 7
said '^resumed: '
state outcome requeued
[ "$(back)" -eq 1 ] || fail "given back $(back) times instead of once"
IOA_REQUEUE='sh back.sh back' expect_exit 0 ioanneal-job net.h5 -o best.h5 "${search[@]}"
state outcome finished
same whole.h5 best.h5
cp best.h5 kept.h5
IOA_REQUEUE='sh back.sh back' expect_exit 0 ioanneal-job net.h5 -o best.h5 "${search[@]}"
said 'is there: this job is done'
cmp -s best.h5 kept.h5 || fail "the archive was written again"
[ "$(back)" -eq 1 ] || fail "a finished job was given back"
rm best.state
expect_exit 2 ioanneal-job net.h5 -o best.h5 "${search[@]}" # somebody else's
said 'best\.h5: is there already'
rm best.h5

# ---- a scheduler that does not take it
IOA_REQUEUE=false expect_exit 75 ioanneal-job net.h5 -o best.h5 "${search[@]}" --pause-after 7
said 'the scheduler does not take the job back'
state outcome stopped

# ---- a signal to the script
rm -f best.*
ioanneal-job net.h5 -o best.h5 --memory 8 --rounds 1000000 --proposals 1500 --timing 0 --checkpoint-every 0.1 >"$out" 2>"$err" &
launcher=$!
await test -e best.ckpt
kill -USR1 $launcher
ended 75
said 'SIGUSR1: the program is told to stop'
said '^stopped early \(a signal\)'

# ---- runs that die: given back while there is progress, at most three times in a row without
rm -f best.* back
cat >dies.sh <<'S'
[ "$1" != optimize ] || kill -9 $$
S
export IOA_REQUEUE='sh back.sh back' SLURM_JOB_ID=7
for run in 0 1 2; do
    code=75
    [ $run -lt 2 ] || code=137
    SLURM_RESTART_COUNT=$run IOANNEAL='sh dies.sh' expect_exit $code ioanneal-job net.h5 -o best.h5 "${search[@]}"
    said "has not written a checkpoint \(time $((run + 1)) in a row\)"
done
state outcome failed
[ "$(back)" -eq 2 ] || fail "given back $(back) times instead of twice"
expect_exit 75 ioanneal-job net.h5 -o best.h5 "${search[@]}" --pause-after 7 # submitted again: counts anew
state failures 0
cat >half.sh <<'S'
ioanneal "$@" --pause-after 3
kill -9 $$
S
SLURM_RESTART_COUNT=1 IOANNEAL='sh half.sh' expect_exit 75 ioanneal-job net.h5 -o best.h5 "${search[@]}"
said 'its last checkpoint is newer than its start'
state failures 0
rm -f best.* back
unset IOA_REQUEUE SLURM_JOB_ID
for run in 1 2 3 1; do # without SLURM, where only exit codes tell; given up and submitted again: counts anew
    code=75
    [ $run -lt 3 ] || code=137
    IOANNEAL='sh dies.sh' expect_exit $code ioanneal-job net.h5 -o best.h5 "${search[@]}"
    said "has not written a checkpoint \(time $run in a row\)"
done
rm -f best.*
export IOA_REQUEUE='sh back.sh back' SLURM_JOB_ID=7

# ---- bad usage and bad input end it for good
expect_exit 2 ioanneal-job none.h5 -o best.h5 --memory 8
said 'none\.h5: no such file'
state outcome failed
IOANNEAL=no-such-program expect_exit 127 ioanneal-job net.h5 -o best.h5 --memory 8
expect_exit 2 ioanneal-job net.h5 --memory 8
said '-o ARCHIVE\.h5 is needed'
expect_exit 2 ioanneal-job net.h5 -o best.h5 --memory 8 --resume
said "ioanneal-job's own business"
[ "$(back)" -eq 0 ] || fail "bad input was given back"
unset SLURM_JOB_ID IOA_REQUEUE

# ---- the memory the submit helper reckons with is what a rank takes, and not much more
if [ -n "$python" ] && [ -z "${IOA_SANITIZE:-}" ]; then
    expect_exit 0 ioa generate mlp --widths 1000,1000,1000,1000,1000,1000 --density 0.04 --seed 1 -o large.h5
    expect_exit 0 sh "$IOA_SOURCE/jobs/submit.sh" large.h5 --ranks 1 --replicas 2 --calibrate 0 --dry-run
    reckoned=$(sed -n 's/^memory: about \([0-9]*\) MB per rank.*/\1/p' "$err")
    cat >measure.py <<'P'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
P
    expect_exit 0 "$python" measure.py "$IOA_PROGRAM" optimize large.h5 -q -o large-best.h5 --memory 32 --replicas 2 --rounds 2 \
        --proposals 1000 --timing 0 --checkpoint large.ckpt
    taken=$(tail -n 1 "$out")
    [ "$taken" -le "$reckoned" ] && [ "$reckoned" -le $((4 * taken)) ] || fail "a rank takes $taken MB, submit.sh says $reckoned MB"
    echo "memory of a rank: $taken MB, reckoned with $reckoned MB"
    rm large*
else
    note "memory of a rank: there is no Python, or a sanitizer"
fi

# ---- the submit helper's checks; what it prints is a shell script with the settings in it
submit() {
    sh "$IOA_SOURCE/jobs/submit.sh" "$@" --dry-run
}
expect_exit 0 submit net.h5 --memory 8,24 --rounds 40 --nodes 2 --ranks 3 --time 30:00 --calibrate 1 --name "o'clock"
said '^memory: about [0-9]+ MB per rank'
said '^time: construction about .* in 1 run of 30:00'
for line in '#SBATCH --nodes=2' '#SBATCH --ntasks-per-node=3' '#SBATCH --time=30' '#SBATCH --requeue' "export IOA_MEMORY='8,24'" \
    "export IOA_REPLICAS='5'" "export IOA_NAME='o'\\''clock'"; do
    grep -qxF -- "$line" "$out" || fail "the job does not hold the line: $line"
done
expect_exit 0 sh -n "$out"
expect_exit 0 submit net.h5 --sweep --memory 8,24 --policy min,lru --seed 1,2,3 --calibrate 0
expect_text '^#SBATCH --array=0-11$'
refused() { # PATTERN OPTIONS...
    local pattern=$1
    shift
    expect_exit 2 submit "$@"
    [ ! -s "$out" ] || fail "a refused job was printed"
    said "$pattern"
}
echo text >text.h5
refused 'text\.h5: is not an HDF5 file' text.h5
refused 'kind archive' whole.h5
refused 'at least 3' net.h5 --memory 2
refused "^submit.sh: --memory wants a value, or several as in A,B, not ''" net.h5 --memory ''
refused "^submit.sh: --seed wants a value, or several as in A,B, not '1,'" net.h5 --sweep --seed 1,
refused 'which has 50: at most 0 ranks' net.h5 --ranks 2 --node-memory 50
refused 'need --sweep' net.h5 --seed 1,2
refused "unknown option '--frobnicate'" net.h5 --frobnicate 1
refused 'exclude each other' net.h5 --rounds 3 --seconds 3
exit 0
