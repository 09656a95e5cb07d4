#!/usr/bin/env bash
# Terminals get colours, help of their width and a progress line that never wraps; everything else gets plain text.
. "$IOA_SUPPORT/support.sh"

[ -n "$python" ] || skip "python3 is missing"

# on_terminal COLUMNS COMMAND...: its exit code; what it shows is in $out, carriage returns and escapes included.
cat >"$scratch/terminal.py" <<'PY'
import fcntl, os, pty, struct, sys, termios
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('4H', 25, int(sys.argv[1]), 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])
while True:
    try:
        data = os.read(fd, 65536)
    except OSError:  # the terminal is closed
        break
    if not data: break
    sys.stdout.buffer.write(data)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
on_terminal() {
    "$python" "$scratch/terminal.py" "$@"
}

# fits COLUMNS: no line of $out is as wide as the terminal.
cat >"$scratch/fits.py" <<'PY'
import re, sys
text = open(sys.argv[1], encoding='utf-8', newline='').read()
lines = re.split('[\r\n]+', re.sub('\x1b\\[[0-9;]*[mK]', '', text))
wide = [line for line in lines if len(line) >= int(sys.argv[2])]
print(len(lines), 'lines, longest', max(map(len, lines)))
sys.exit(f'too wide: {wide[0]!r}' if wide else 0)
PY
fits() {
    "$python" "$scratch/fits.py" "$out" "$1" >"$scratch/fits" 2>&1 || fail "$(cat "$scratch/fits")"
}

# Results are as wide as they are, and so is the log before the first round and after the last one.
without_results() {
    tr '\r' '\n' <"$out" | sed '/^network: /d; /excess [0-9,]*\( *<- start\)*$/d; /: a ladder up to /d; /{$/,$d' >"$scratch/progress"
    cp "$scratch/progress" "$out"
}

escape=$(printf '\033')
colored() { grep -q "$escape\[[0-9]*m" "$1"; }

expect_exit 0 ioa generate mlp --widths 50,70,10 --density 0.1 -o net.h5
expect_exit 0 ioa optimize net.h5 -o best.h5 --memory 8 --rounds 1 --proposals 10 --timing 0 -q
export TERM=xterm
unset NO_COLOR COLUMNS

# ---- colours
expect_exit 0 on_terminal 80 "$IOA_PROGRAM" check best.h5 --network net.h5
grep -q "$escape\[32mpassed$escape\[0m" "$out" || fail "no green on a terminal"
expect_exit 2 on_terminal 80 "$IOA_PROGRAM" info missing.h5
grep -q "$escape\[31mioanneal info:$escape\[0m missing.h5" "$out" || fail "errors are not marked on a terminal"
for setting in NO_COLOR=1 TERM=dumb; do
    expect_exit 0 on_terminal 80 env "$setting" "$IOA_PROGRAM" check best.h5 --network net.h5
    ! colored "$out" || fail "colours in spite of $setting"
done
expect_exit 0 on_terminal 80 env NO_COLOR= "$IOA_PROGRAM" check best.h5 --network net.h5
colored "$out" || fail "an empty NO_COLOR means colours"
expect_exit 0 on_terminal 80 env OMPI_COMM_WORLD_RANK=0 "$IOA_PROGRAM" check best.h5 --network net.h5
! colored "$out" || fail "colours under a launcher, whose terminal may be a file"
expect_exit 0 ioa check best.h5 --network net.h5
! colored "$out" || fail "colours in a file"
expect_exit 2 ioa info missing.h5
! colored "$err" || fail "colours in a file of errors"

# ---- help
for columns in 60 80 120; do
    expect_exit 0 on_terminal $columns "$IOA_PROGRAM" info --help
    fits $columns
done
expect_exit 0 on_terminal 70 "$IOA_PROGRAM" optimize --help
grep -q '^ \{31\}[a-z]' "$out" || fail "long help is not broken on a narrow terminal"
expect_exit 0 ioa optimize --help
! grep -q '^ \{31\}[a-z]' "$out" || fail "help is broken in a file"

# ---- progress: so many repetitions end with the three seconds, and a bar appears after two
for columns in 25 50 80; do
    expect_exit 0 on_terminal $columns "$IOA_PROGRAM" bench net.h5 --batch 8 --seconds 3 --repeats 1000000 --json -v
    grep -q 's left' "$out" || fail "no progress on a terminal"
    without_results
    [ $columns -lt 50 ] || grep -q '\[#*\.*\] ' "$out" || fail "no bar"
    fits $columns
done
expect_exit 0 ioa bench net.h5 --batch 8 --seconds 3 --repeats 1000000
grep -q '^measuring, [0-9.]* s$' "$err" || fail "no progress in a log"
! grep -q "$escape" "$err" || fail "escapes in a log"
expect_exit 0 ioa bench net.h5 --batch 8 --seconds 3 --repeats 1000000 -q
[ ! -s "$err" ] || fail "-q shows progress"
for columns in 40 80 200; do
    ASAN_OPTIONS=detect_leaks=0 expect_exit 0 on_terminal $columns "$IOA_PROGRAM" optimize net.h5 -o new.h5 --memory 8 --rounds 30 \
        --proposals 2000 --replicas 4 --timing 0 --json
    grep -q 'M = 8: round [0-9]' "$out" || fail "no rounds on a terminal"
    without_results
    fits $columns
done
expect_text 'round trips \([0-9.]+ of theory\), autocorrelation -?[0-9.]+, [0-9]+ s left' # there is room for them
