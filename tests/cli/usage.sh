#!/usr/bin/env bash
# Every subcommand explains itself and refuses what it does not know: exit code 2, one line, nothing written.
. "$IOA_SUPPORT/support.sh"

commands='import generate info simulate optimize check bench run compile merge pack report'

expect_exit 0 ioa --help
for command in $commands; do expect_text "^  $command "; done
expect_text 'exit codes: 0 .* 1 .* 2 .* 3 '
expect_text ' 75 '
expect_exit 0 ioa --version
for fact in '^ioanneal [0-9]+\.[0-9]+\.[0-9]+ \(' '^build: +[^,]*, .+ for ' '^flags:' '^kernels: .*portable.* is chosen$' '^files: +HDF5 [0-9.]+, schema 1\.' \
    '^MPI: +[A-Za-z]' '^MKL:'; do expect_text "$fact"; done
expect_exit 2 ioa
grep -q '^usage: ioanneal COMMAND' "$err" || fail "no usage on standard error"
expect_exit 2 ioa frobnicate
expect_one_line "unknown command 'frobnicate'"
expect_exit 2 ioa --frobnicate
expect_one_line
expect_exit 2 ioa simulat
expect_one_line "unknown command 'simulat'; was simulate meant?"
expect_exit 2 ioa simulate net.h5 --memery 3
expect_one_line "unknown option '--memery'; was --memory meant?"

for words in --help --version 'info --help'; do
    [ -e /dev/full ] || break
    code=0
    ioa $words >/dev/full 2>"$err" || code=$?
    [ $code -eq 3 ] && grep -q 'standard output cannot be written' "$err" || fail "$words: exit code $code where it cannot be written"
done

options_of() {
    case $1 in
    import) echo output format layout bias bias-value activation prune model tensors ;;
    generate) echo output seed widths density radices layers inputs neurons memory fan-in activation ;;
    info) ;;
    simulate) echo memory cache batch policy order schedule ;;
    optimize) echo output memory cache policy seconds rounds replicas seed method checkpoint resume ;;
    check) echo network ;;
    bench) echo schedule batch threads ;;
    run) echo schedule input output threads ;;
    merge) echo output ;;
    compile) echo network output isa name memory segment group exact ;;
    pack) echo network output ;;
    report) echo output network ;;
    esac
}

for command in $commands; do
    expect_exit 0 ioa "$command" --help
    expect_text "^usage: ioanneal $command "
    [ -s "$err" ] && fail "$command --help writes to standard error"
    [ "$command" = report ] || expect_text '^examples:'
    [ "$command" = report ] || grep -A1 '^examples:' "$out" | grep -q '^  .*ioanneal ' || fail "$command --help has no example"
    for option in $(options_of "$command") help json quiet verbose; do
        grep -Eq "^  +(-[a-z], )?--$option( |$)" "$out" || fail "$command --help does not mention --$option"
    done
    expect_exit 0 ioa "$command" -h
    expect_exit 2 ioa "$command" --no-such-option
    expect_one_line "unknown option '--no-such-option'"
    expect_exit 2 ioa "$command" x.h5 -xyz
    expect_one_line "unknown option '-xyz'"
done

# usage PATTERN ARGUMENTS...: refused with exit code 2 and one line that matches
usage() {
    local pattern=$1
    shift
    expect_exit 2 ioa "$@"
    expect_one_line "$pattern"
}

usage 'weight files are wanted' import
usage '-o NET.h5 is needed' import a.mtx
usage '--layout wants out-in or in-out' import a.mtx -o net.h5 --layout sideways
usage '--prune wants a number' import a.mtx -o net.h5 --prune 2
usage '--prune wants a number' import a.mtx -o net.h5 --prune ten
usage '--prune wants a number' import a.mtx -o net.h5 --prune 0
usage 'unknown|format' import a.mtx -o net.h5 --format xyz
usage '--output wants a value' import a.mtx -o
usage 'unknown kind' generate lstm -o net.h5
usage 'one kind is wanted' generate -o net.h5
usage '--widths' generate mlp --widths 3,x -o net.h5
usage '--widths' generate mlp --widths 3,0,4 -o net.h5
usage 'unknown activation "swoosh"' generate mlp --activation swoosh -o net.h5
usage 'clipped_relu needs its upper end' generate mlp --activation clipped_relu -o net.h5
usage 'tanh takes no parameter' generate mlp --last tanh:2 -o net.h5
usage '--density wants a number' generate mlp --density 0 -o net.h5
usage '--density wants a number' generate mlp --density nan -o net.h5
usage '--seed wants a whole number' generate mlp --seed -1 -o net.h5
usage '--radices is for radixnet, not for mlp' generate mlp --radices 4,4 -o net.h5
usage 'one network or archive' info
usage 'one network file' simulate --memory 3
expect_exit 0 ioa generate mlp --widths 6,8,4 --density 0.5 -o net.h5
before=$(listing)
usage 'one network file' simulate net.h5 net.h5 --memory 3
usage '--memory .*needed' simulate net.h5
usage 'too small|at least 3' simulate net.h5 --memory 2
usage 'too small|at least 3' simulate net.h5 --memory 0
usage '--memory wants' simulate net.h5 --memory -5
usage '--memory wants' simulate net.h5 --memory 1e3
usage '--memory wants' simulate net.h5 --memory 99999999999999999999
usage '--memory wants' simulate net.h5 --memory 3,,4
usage 'twice' simulate net.h5 --memory 16,16
usage '--policy wants lru, rr or min' simulate net.h5 --memory 3 --policy fifo
usage "unknown order 'random'" simulate net.h5 --memory 3 --order random
usage '--cache wants --batch' simulate net.h5 --cache 64KiB
usage 'too small|at least 3' simulate net.h5 --cache 16 --batch 64
usage 'exclude each other' simulate net.h5 --memory 3 --cache 64KiB --batch 2
usage '--cache wants a size' simulate net.h5 --cache lots --batch 2
usage '--cache wants a size.*at least 1' simulate net.h5 --cache 0 --batch 2
usage 'exclude each other' simulate net.h5 --memory 8 --order blocks --schedule best.h5
usage 'one network file' optimize -o a.h5 --memory 3
usage '-o ARCHIVE.h5 is needed' optimize net.h5 --memory 3
usage '--machine wants' optimize net.h5 -o a.h5 --machine z80
usage 'exclude each other' optimize net.h5 -o a.h5 --machine avx2 --memory 8
usage 'exclude each other' optimize net.h5 -o a.h5 --levels 8:1,20:0.5 --memory 8
usage 'levels look like' optimize net.h5 -o a.h5 --levels 8:1,20
usage 'levels look like' optimize net.h5 -o a.h5 --levels 8:1,20:0
usage 'levels look like' optimize net.h5 -o a.h5 --levels 8:1:fifo
usage 'twice' optimize net.h5 -o a.h5 --levels 8:1:lru,8:2
usage 'too small|at least 3' optimize net.h5 -o a.h5 --levels 2:1
usage 'too small|at least 3' optimize net.h5 -o a.h5 --memory 2
usage 'too small|at least 3' optimize net.h5 -o a.h5 --memory 100,2
usage '--method wants' optimize net.h5 -o a.h5 --memory 8 --method magic
usage '--policy wants' optimize net.h5 -o a.h5 --memory 8 --policy fifo
usage '--rounds wants' optimize net.h5 -o a.h5 --memory 8 --rounds 0
usage '--stop-round wants --rounds' optimize net.h5 -o a.h5 --memory 8 --stop-round 5
usage '--stop-round wants --rounds' optimize net.h5 -o a.h5 --memory 8 --stop-round 5 --rounds 4
usage '--replicas wants' optimize net.h5 -o a.h5 --memory 8 --replicas 0
usage '--seconds wants' optimize net.h5 -o a.h5 --memory 8 --seconds -1
usage '--seconds wants' optimize net.h5 -o a.h5 --memory 8 --seconds inf
usage 'exclude each other' optimize net.h5 -o a.h5 --memory 8 --seconds 1 --rounds 1
usage '--cold must not be above --hot' optimize net.h5 -o a.h5 --memory 8 --cold 2 --hot 1
usage '--adapt wants' optimize net.h5 -o a.h5 --memory 8 --adapt luck
usage "unknown engine" optimize net.h5 -o a.h5 --memory 8 --engine warp
usage '--network NET.h5 is needed' check a.h5
usage 'one archive file' check --network net.h5
usage 'one network file' bench
usage '--batch wants' bench net.h5 --batch 0
usage '--isa wants' bench net.h5 --isa mmx
usage '--input X.h5 and --output Y.h5' run net.h5
usage '--input X.h5 and --output Y.h5' run net.h5 --input x.h5
usage '--isa wants' run net.h5 --input x.h5 --output y.h5 --isa mmx
usage '--plan avx512/rows/tile64 is not one for --isa portable' run net.h5 --input x.h5 --output y.h5 --plan avx512/rows/tile64 --isa portable
usage 'archive files are wanted' merge -o m.h5
usage '-o ARCHIVE.h5 is needed' merge a.h5
usage 'archive files, or bundles, are wanted' report -o page.html
usage '-o REPORT.html is needed' report a.h5

# Files that are not there: the line names the file.
missing() {
    expect_exit 2 ioa "$@"
    expect_one_line 'missing\.[a-z0-9]+: .*(no such file|does not exist|No such file)'
}

missing import missing.mtx -o new.h5
missing import missing.smtx -o new.h5
missing info missing.h5
missing simulate missing.h5 --memory 8
missing simulate net.h5 --memory 8 --schedule missing.h5
missing optimize missing.h5 -o new.h5 --memory 8
missing check missing.h5 --network net.h5
missing check net.h5 --network missing.h5
missing bench missing.h5
missing bench net.h5 --schedule missing.h5
missing run missing.h5 --input net.h5 --output new.h5
missing run net.h5 --input missing.h5 --output new.h5
missing run net.h5 --schedule missing.h5 --input net.h5 --output new.h5
missing merge missing.h5 -o new.h5
missing report missing.h5 -o new.html
expect_listing "$before"
