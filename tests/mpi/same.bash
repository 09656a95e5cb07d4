# Shared by tests that compare archives; sourced after tests/support/support.sh.
for tool in h5diff h5dump; do command -v $tool >/dev/null || skip "$tool is missing (Debian: hdf5-tools)"; done

# same A B: equal outside of measured/ and /provenance
same() {
    local excluded=(--exclude-path /provenance --exclude-path /schedules/0000/measured --exclude-path /schedules/0001/measured)
    expect_exit 0 h5diff "${excluded[@]}" "$1" "$2"
    [ -s "$out" ] && fail "$1 and $2 differ"
    for name in $(h5dump -n "$1" | grep -o '/schedules/[0-9]*$' | grep -o '[0-9]*$'); do
        raw_order "$1" "$name" >"$scratch/a.raw"
        raw_order "$2" "$name" >"$scratch/b.raw"
        cmp -s "$scratch/a.raw" "$scratch/b.raw" || fail "$1 and $2: the orders of schedule $name differ"
    done
    [ -z "$h5python" ] || expect_exit 0 "$h5python" "$IOA_SOURCE/tests/mpi/same.py" "$1" "$2"
}
