#!/bin/sh
# usage: status.sh [FOLDER | NAME.state ...]
# One line per job that ioanneal-job has run in these folders (default: this one): what SLURM says, how far the search is, the
# best excess so far, what the search and the job's limit leave. Read from state files, logs, checkpoints and archives;
# nothing is asked of the jobs. Nodes that count their time differently make it look a little earlier or later.
#
#   JOB     number, or ARRAY_TASK           RUNS    how often it was started
#   STATE   SLURM's while it is in the queue, else what became of it: finished, failed, stopped (submit again to go on),
#           gone (killed without a word: submit again to go on)
#   M       memory size under way           ROUND   done/planned of it
#   EXCESS  best so far (finished: per size, as M:EXCESS)
#   LEFT    of the search for this M, at the pace it has had      LIMIT   left of this run of the job
set -u
export LC_ALL=C
here=$(dirname "$0")
if [ -z "${IOANNEAL:-}" ]; then
    for IOANNEAL in "$here/../../../bin/ioanneal" ioanneal; do command -v "$IOANNEAL" >/dev/null && break; done
fi

value() { # KEY, of $state
    sed -n "s/^$1=//p" "$state" | head -n 1
}

last_round() { # of the log: "M ROUND EXCESS", the newest line wins
    [ -e "$1" ] && tr '\r' '\n' <"$1" |
        sed -n 's/.*M = \([0-9]*\): round \([0-9]*\), best excess \([0-9,]*\),.*/\1 \2 \3/p' | tail -n 1
}

from_checkpoint() { # "M ROUND PLANNED EXCESS LEFT"
    $IOANNEAL info "$1" 2>/dev/null | sed -n -e 's/ (start [0-9,]*)//' -e '/: round /{
        s/^ *M = \([0-9]*\): round \([0-9]*\)\( of \([0-9]*\)\)*, best excess \([0-9,]*\), [0-9]* s\(, about \([0-9]*\) s left\)*$/\1 \2 \4- \5 \7-/p
    }'
}

clock() { # SECONDS as h:mm:ss
    case $1 in '' | *[!0-9]*) echo - ;; *) printf '%d:%02d:%02d\n' $(($1 / 3600)) $(($1 / 60 % 60)) $(($1 % 60)) ;; esac
}

show() {
    job=$(value job)
    array=$(value array)
    archive=$(value archive)
    checkpoint=$(value checkpoint)
    outcome=$(value outcome)
    ends=$(value ends)
    folder=$(dirname "$state")
    case $archive in /*) ;; *) archive=$folder/${archive##*/} checkpoint=$folder/${checkpoint##*/} ;; esac
    queued=
    [ -z "$job" ] || queued=$(printf '%s\n' "$queue" | sed -n "s/^$job //p" | head -n 1)
    shown=${queued:-$outcome}
    [ -n "$queued" ] || [ "$known" = no ] || case $outcome in running | requeued) shown=gone ;; esac
    memory=- round=- excess=- left=- limit=-
    if [ "$outcome" = finished ] && [ -e "$archive" ]; then
        shown=finished
        excess=$($IOANNEAL info "$archive" 2>/dev/null |
            sed -n 's/^  schedule [0-9]*: M = \([0-9]*\) [a-z]*, excess \([0-9,]*\) .*/\1:\2/p' | tr '\n' ' ')
    else
        set -- $(from_checkpoint "$checkpoint")
        if [ $# -eq 5 ]; then
            memory=$1 round=$2 planned=${3%-} excess=$4 left=$(clock "${5%-}")
            set -- $(last_round "${archive%.h5}.log")
            # The log is ahead of the checkpoint, unless it was left behind by a run that went further and died.
            if [ $# -eq 3 ] && [ "$1" = "$memory" ] && [ "$2" -gt "$round" ]; then round=$2 excess=$3; fi
            [ -z "$planned" ] || round=$round/$planned
        else
            set -- $(last_round "${archive%.h5}.log")
            [ $# -ne 3 ] || memory=$1 round=$2 excess=$3
        fi
        now=$(date +%s)
        if [ "$queued" = RUNNING ] && [ -n "$ends" ] && [ "$ends" -gt "$now" ]; then limit=$(clock $((ends - now))); fi
    fi
    printf '%-12s %-11s %4d  %-6s %-13s %12s  %9s  %9s  %s\n' "${array:-${job:--}}" "$shown" $(($(value restarts) + 1)) "$memory" \
        "$round" "${excess% }" "$left" "$limit" "$archive"
}

[ $# -gt 0 ] || set -- .
known=no # whether SLURM answers
queue=
if command -v squeue >/dev/null && queue=$(timeout 30 squeue -h -o '%A %T' 2>/dev/null); then known=yes; fi
found=
for place; do
    [ -d "$place" ] && place=$place/*.state
    for state in $place; do
        [ -e "$state" ] || continue
        [ -n "$found" ] || printf '%-12s %-11s %4s  %-6s %-13s %12s  %9s  %9s  %s\n' JOB STATE RUNS M ROUND EXCESS LEFT LIMIT ARCHIVE
        found=yes
        (show)
    done
done
[ -n "$found" ] || { echo "status.sh: no state files of jobs in: $*" >&2; exit 2; }
