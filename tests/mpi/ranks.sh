#!/usr/bin/env bash
# Same seed and configuration, same archive at any number of ranks: everything but measured/ and /provenance.
. "$IOA_SUPPORT/support.sh"

for tool in h5diff h5dump; do command -v $tool >/dev/null || skip "$tool is missing (Debian: hdf5-tools)"; done
expect_exit 0 ioa generate mlp --widths 30,50,40,10 --density 0.1 --seed 3 -o net.h5

optimize() { # RANKS ARCHIVE ARGUMENTS...
    local ranks=$1 archive=$2
    shift 2
    if [ "$ranks" -eq 0 ]; then # no launcher at all
        expect_exit 0 ioa optimize net.h5 -o "$archive" -q "$@"
    else
        expect_exit 0 mpi "$ranks" optimize net.h5 -o "$archive" -q "$@"
    fi
    [ "$(ls -A | wc -l)" -eq $((files += 1)) ] || fail "files were left behind: $(ls -A | tr '\n' ' ')"
    expect_clean
    expect_exit 0 ioa check "$archive" --network net.h5
}
files=1

# same A B SCHEDULES: equal outside of measured/ and /provenance; orders byte for byte
same() {
    local excluded=(--exclude-path /provenance) i name
    for ((i = 0; i < $3; i++)); do
        name=$(printf %04d $i)
        excluded+=(--exclude-path "/schedules/$name/measured")
        raw_order "$1" "$name" >"$scratch/a.raw"
        raw_order "$2" "$name" >"$scratch/b.raw"
        [ -s "$scratch/a.raw" ] && cmp "$scratch/a.raw" "$scratch/b.raw" || fail "$1 and $2: the orders of schedule $name differ"
    done
    expect_exit 0 h5diff "${excluded[@]}" "$1" "$2"
    [ -s "$out" ] && fail "$1 and $2 differ"
    if [ -n "$h5python" ]; then
        expect_exit 0 "$h5python" "$IOA_SOURCE/tests/mpi/same.py" "$1" "$2"
    fi
}

differ() { # A B: orders of the first schedule
    raw_order "$1" 0000 >"$scratch/a.raw"
    raw_order "$2" 0000 >"$scratch/b.raw"
    cmp -s "$scratch/a.raw" "$scratch/b.raw" && fail "$1 and $2 have the same order"
}

search='--rounds 6 --proposals 2000 --seed 11 --timing 0'

# ---- tempering: two memory sizes in one run; K = 5 divides by no number of workers but 1 and K itself
memory='--memory 8,24'
optimize 1 t1.h5 $memory $search --replicas 5
optimize 2 t2.h5 $memory $search --replicas 5
optimize 4 t4.h5 $memory $search --replicas 5
for other in t2 t4; do same t1.h5 $other.h5 2; done
optimize 0 t0.h5 $memory $search --replicas 5
same t1.h5 t0.h5 2
optimize 3 t3.h5 $memory $search --replicas 5
same t1.h5 t3.h5 2
optimize 4 few4.h5 --memory 8 $search --replicas 2 # fewer replicas than workers
optimize 1 few1.h5 --memory 8 $search --replicas 2
same few1.h5 few4.h5 1

# ---- a timed archive: what is measured does not leak into the rest
optimize 2 timed.h5 $memory --rounds 6 --proposals 2000 --seed 11 --timing 0.2 --replicas 5
same t1.h5 timed.h5 2
expect_exit 0 h5dump -A -g /schedules/0000/measured/0000 timed.h5

# ---- the sizes of a run do not depend on each other
optimize 2 single.h5 --memory 24 $search --replicas 5
raw_order t1.h5 0001 >"$scratch/a.raw"
raw_order single.h5 0000 >"$scratch/b.raw"
cmp -s "$scratch/a.raw" "$scratch/b.raw" || note "M = 24 alone and after M = 8 gives different orders (allowed)"

# ---- another seed, another result
optimize 1 seed.h5 $memory --rounds 6 --proposals 2000 --seed 12 --timing 0 --replicas 5
differ t1.h5 seed.h5

# ---- the other methods and policies
for method in construct anneal paper; do # the paper's method simulates every proposal in full: dear, but W is small
    optimize 1 $method-1.h5 --memory 8 $search --replicas 3 --method $method
    optimize 4 $method-4.h5 --memory 8 $search --replicas 3 --method $method
    same $method-1.h5 $method-4.h5 1
done
for policy in lru rr; do
    optimize 1 $policy-1.h5 --memory 8 $search --replicas 3 --policy $policy
    optimize 4 $policy-4.h5 --memory 8 $search --replicas 3 --policy $policy
    same $policy-1.h5 $policy-4.h5 1
done

# ---- the trace: columns, shapes, and what must hold in them
if [ -n "$h5python" ]; then
    expect_exit 0 "$h5python" "$IOA_SOURCE/tests/mpi/trace.py" t4.h5 6 5 2000
    expect_exit 0 "$h5python" "$IOA_SOURCE/tests/mpi/trace.py" anneal-4.h5 6 3 2000
    expect_exit 0 "$h5python" "$IOA_SOURCE/tests/mpi/trace.py" paper-4.h5 6 3 2000
    expect_exit 0 "$h5python" "$IOA_SOURCE/tests/mpi/trace.py" construct-4.h5 0 3 2000
else
    note "contents of the trace: $no_h5python"
    for column in round best energy temperature acceptance swap replica round_trips proposals; do
        expect_exit 0 h5dump -H -d /schedules/0000/trace/$column t4.h5
    done
fi
expect_exit 0 h5dump -a /schedules/0001/verified t4.h5
expect_text '\(0\): 1$'

# ---- by time: the limit holds, whatever was reached is archived and true
started=$(date +%s)
optimize 3 seconds.h5 --memory 8 --seconds 1 --timing 0
[ $(($(date +%s) - started)) -lt 15 ] || fail "--seconds 1 took $(($(date +%s) - started)) s"

# ---- and is repeated by the rounds it tells, even if time was over before there was a plan
optimize 2 short.h5 --memory 8 --seconds 0.001 --timing 0 --seed 5
attribute() { # NAME: of the first schedule
    h5dump -a "/schedules/0000/$1" short.h5 | grep -o '(0): [0-9]*' | cut -d' ' -f2
}
optimize 1 again.h5 --memory 8 --rounds "$(attribute planned_rounds)" --trial-rounds "$(attribute trial_rounds)" \
    --stop-round "$(attribute rounds)" --timing 0 --seed 5
same short.h5 again.h5 1

# ---- small networks: the search ends at the certified bound, at the same round with any number of ranks
expect_exit 0 ioa generate dag --inputs 5 --neurons 16 --fan-in 3 --outputs 2 --seed 1 -o small.h5
for ranks in 1 3; do
    expect_exit 0 mpi $ranks optimize small.h5 -o small$ranks.h5 -q --memory 7 --rounds 50 --proposals 1000 --seed 11 --timing 0
done
same small1.h5 small3.h5 1
small() { # NAME: of the schedule
    h5dump -a "/schedules/0000/$1" small1.h5 | grep -o '(0): [0-9]*' | cut -d' ' -f2
}
[ "$(small rounds)" -lt 50 ] || fail "the search went on at the certified bound"
[ "$(small excess)" -gt 0 ] && [ "$(small total)" -eq "$(small certified_bound)" ] || fail "the search ended above the certified bound"
