#!/bin/sh
# Checks a network and a plan on the login node, writes the SLURM job and submits it. `submit.sh --help` lists the options.
set -eu
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)

usage() {
    cat <<'EOT'
usage: submit.sh NET.h5 [options]

what to search
  --memory M[,M2..]      slots of fast memory (default 32)
  --policy P             lru, rr or min (default min)
  --seed S               (default 1)
  --seconds T | --rounds N   budget of the search over all runs of the job (default --seconds 36000)
  --target E             done with a memory size once its excess is E or less
  --replicas K           (default: one per worker; the last rank of a job verifies)
  --options 'OPTIONS'    more options of ioanneal optimize
  --sweep                --memory, --policy and --seed may be lists: an array of jobs, one per combination, then one that
                         merges their archives
where
  --nodes N              (default 1)            --ranks R   per node (default 8)
  --time [H:]MM:SS       limit of one run, after which the job is requeued and resumed (default 4:00:00)
  --partition P   --account A   --name NAME (default: that of the network's file)
  --launcher L           srun or mpirun (default: srun if it knows pmix)
  --sbatch 'OPTIONS'     more options of sbatch
checks
  --calibrate T          seconds of search on this machine to estimate times with (default 10; 0: none)
  --node-memory MB       memory of a node (default: what SLURM says about the partition)
  --dry-run              print the job instead of submitting it
EOT
}

refuse() {
    echo "submit.sh: $*" >&2
    exit 2
}

note() {
    echo "$*" >&2
}

network= memory=32 policy=min seed=1 budget= target= replicas= options= sweep= nodes=1 ranks=8 time=4:00:00 partition= account=
name= launcher= extra= calibrate=10 node_memory= dry=
while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage && exit 0 ;;
    --dry-run) dry=yes ;;
    --sweep) sweep=yes ;;
    --*)
        [ $# -ge 2 ] || refuse "$1 wants a value"
        case $1 in
        --memory) memory=$2 ;; --policy) policy=$2 ;; --seed) seed=$2 ;; --target) target=$2 ;; --replicas) replicas=$2 ;;
        --seconds | --rounds) [ -z "$budget" ] || refuse "--seconds and --rounds exclude each other" && budget="$1 $2" ;;
        --options) options=$2 ;; --nodes) nodes=$2 ;; --ranks) ranks=$2 ;; --time) time=$2 ;; --partition) partition=$2 ;;
        --account) account=$2 ;; --name) name=$2 ;; --launcher) launcher=$2 ;; --sbatch) extra=$2 ;;
        --calibrate) calibrate=$2 ;; --node-memory) node_memory=$2 ;;
        *) refuse "unknown option '$1' (see --help)" ;;
        esac
        shift ;;
    *) [ -z "$network" ] || refuse "one network file is wanted" && network=$1 ;;
    esac
    shift
done
[ -n "$network" ] || refuse "one network file is wanted (see --help)"
: "${budget:=--seconds 36000}"

whole() { # OPTION VALUE LEAST
    case $2 in '' | *[!0-9]*) refuse "$1 wants a whole number, not '$2'" ;; esac
    [ "$2" -ge "$3" ] || refuse "$1 wants at least $3, not $2"
}
whole --nodes "$nodes" 1
whole --ranks "$ranks" 1
whole "${budget%% *}" "${budget#* }" 1
whole --calibrate "$calibrate" 0
[ -z "$replicas" ] || whole --replicas "$replicas" 1
[ -z "$target" ] || whole --target "$target" 1
[ -z "$node_memory" ] || whole --node-memory "$node_memory" 1
for list in "--memory:$memory" "--policy:$policy" "--seed:$seed"; do
    case ,${list#*:}, in *,,*) refuse "${list%%:*} wants a value, or several as in A,B, not '${list#*:}'" ;; esac
done
for size in $(echo "$memory" | tr ',' ' '); do whole --memory "$size" 3; done
for one in $(echo "$policy" | tr ',' ' '); do
    case $one in lru | rr | min) ;; *) refuse "--policy wants lru, rr or min, not '$one'" ;; esac
done
for one in $(echo "$seed" | tr ',' ' '); do whole --seed "$one" 0; done
case $policy$seed in *,*) [ -n "$sweep" ] || refuse "lists of policies or seeds need --sweep" ;; esac
case $time in
*[!0-9:]* | *:*:*:* | :* | *: | '') refuse "--time wants [H:]MM:SS, not '$time'" ;;
esac
limit=$(echo "$time" | awk -F: '{ s = 0; for (i = 1; i <= NF; i++) s = s * 60 + $i; print NF == 1 ? s * 60 : s }')
[ "$limit" -ge 60 ] || refuse "--time wants a minute at least"
: "${name:=$(basename "$network" .h5)}"
case $name in */* | -* | *' '*) refuse "--name cannot be '$name': it becomes a part of file names" ;; esac

if [ -z "${IOANNEAL:-}" ]; then
    for IOANNEAL in "$here/../../../bin/ioanneal" ioanneal none; do command -v "$IOANNEAL" >/dev/null && break; done
    [ "$IOANNEAL" != none ] || refuse "the program ioanneal is not on the PATH; IOANNEAL may say how to call it"
    IOANNEAL=$(command -v "$IOANNEAL")
fi
if [ -z "${IOA_JOB:-}" ]; then
    for IOA_JOB in "$(dirname "${IOANNEAL##* }")/ioanneal-job" "$here/ioanneal-job"; do [ -x "$IOA_JOB" ] && break; done
fi
[ -n "$dry" ] || command -v sbatch >/dev/null || refuse "there is no sbatch here; --dry-run prints the job"

# ---- the input: format, structure and hashes
facts=$(mktemp -d "${TMPDIR:-/tmp}/ioa-submit.XXXXXX")
trap 'rm -rf "$facts"' EXIT
trap 'exit 130' INT TERM
$IOANNEAL info "$network" --brief --json >"$facts/network" || exit $?
fact() { # KEY
    sed -n "s/^[[:space:]]*\"$1\":[[:space:]]*\"*\([^\",]*\)\"*,*\$/\1/p" "$facts/network" | head -n 1
}
[ "$(fact kind)" = network ] || refuse "$network: is a file of kind $(fact kind), a network is wanted"
connections=$(fact connections)
neurons=$(fact neurons)
all=$((nodes * ranks))
workers=$((all > 1 ? all - 1 : 1))
[ -n "$replicas" ] || replicas=$((workers > 2 ? workers : 2))
share=$(((replicas + workers - 1) / workers)) # replicas of the busiest worker
note "$network: $neurons neurons, $connections connections; $all ranks on $nodes nodes, $replicas replicas, at most $share per rank"
[ "$workers" -le "$replicas" ] || note "warning: $((workers - replicas)) workers will have no replica and idle"

# ---- memory: of the largest rank, measured (jobs/README.md); a test compares it with what ranks really take
bytes_per_connection=180 bytes_per_replica=45 # and connection
rank_mb=$(awk -v w="$connections" -v n="$neurons" -v k="$share" -v each="$bytes_per_connection" -v more="$bytes_per_replica" 'BEGIN {
    printf "%d", 60 + (w * (each + more * k) + n * 100 * (1 + k)) / 1e6 + 1 }')
node_mb=$((rank_mb * ranks))
note "memory: about $rank_mb MB per rank, $node_mb MB per node"
checkpoint_mb=$(awk -v w="$connections" -v k="$replicas" 'BEGIN {
    elite = w > 67e6 ? 0 : 64 * w > 268e6 ? 268e6 : 64 * w; printf "%d", (w * (4 + 12 * k) + elite) / 1e6 + 1 }')
note "disk: about $checkpoint_mb MB per checkpoint, of which there are two, and while one is written three"
if [ -z "$node_memory" ] && command -v sinfo >/dev/null; then
    node_memory=$(timeout 30 sinfo -h ${partition:+-p "$partition"} -o %m 2>/dev/null | tr -d '+' | sort -n | head -n 1) || node_memory=
fi
if [ -n "$node_memory" ] && [ "$node_memory" -gt 1 ] && [ "$node_mb" -gt "$node_memory" ]; then
    refuse "$ranks ranks need about $node_mb MB per node, which has $node_memory: at most $((node_memory / rank_mb)) ranks per node"
fi

# ---- time: a short search here, on one rank with one replica
round= began=
free=$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo 2>/dev/null) || free=
if [ "$calibrate" -gt 0 ] && [ -n "$free" ] && [ "$rank_mb" -gt $((free / 2)) ]; then
    note "time: not estimated, this machine has $free MB free"
elif [ "$calibrate" -gt 0 ]; then
    first=${memory%%,*}
    # shellcheck disable=SC2086
    OMPI_MCA_ess_singleton_isolated=1 nice $IOANNEAL optimize "$network" -o "$facts/try.h5" --memory "$first" --policy "${policy%%,*}" \
        --replicas 1 --rounds 1000000 --deadline "$calibrate" --timing 0 -v $options >"$facts/out" 2>"$facts/log" || {
        grep '^ioanneal' "$facts/log" >&2 || tail -n 3 "$facts/log" >&2
        refuse "the search does not run on this machine (--calibrate 0 leaves it out)"
    }
    # Seconds per round, and those before the first.
    sed -n 's/.*: round \([0-9]*\), .* \([0-9.]*\) s$/\1 \2/p' "$facts/log" >"$facts/rounds"
    eval "$(awk 'NR == 1 { r = $1; t = $2 } { n = $1; s = $2 } END { if (NR == 0) exit
        each = n > r ? (s - t) / (n - r) : s; if (each < 0.0001) each = 0.0001
        before = t - each * r; if (before < 0) before = 0; printf "round=%.4f began=%.1f\n", each, before }' "$facts/rounds")"
fi
sizes=$(echo "$memory" | tr ',' '\n' | grep -c .)
tasks=1
if [ -n "$sweep" ]; then
    tasks=$((sizes * $(echo "$policy" | tr ',' '\n' | grep -c .) * $(echo "$seed" | tr ',' '\n' | grep -c .)))
    sizes=1
fi
# How long before its end a run is told to stop: its round, a checkpoint at 100 MB/s, and a minute.
lead=$(awk -v r="${round:-0}" -v k="$share" -v mb="$checkpoint_mb" 'BEGIN { printf "%d", 60 + 3 * r * k + mb / 100 }')
[ "$lead" -lt $((limit / 2)) ] || lead=$((limit / 2))
if [ -n "$round" ]; then
    total=$(awk -v r="$round" -v b="$began" -v k="$share" -v sizes="$sizes" -v kind="${budget%% *}" -v n="${budget#* }" 'BEGIN {
        search = kind == "--seconds" ? n : sizes * (b + n * r * k); printf "%d", search + sizes * (10 + 2 * b) + 1 }')
    runs=$((total / (limit - lead > 0 ? limit - lead : 1) + 1))
    note "time: construction about $began s, a round $(awk -v r="$round" -v k="$share" 'BEGIN { printf "%.3g", r * k }') s; in all about $total s$(
        [ "$tasks" -eq 1 ] || echo " per task, $tasks tasks"), in $runs run$([ "$runs" -eq 1 ] || echo s) of $time"
    if awk -v r="$round" -v b="$began" -v k="$share" -v l="$limit" 'BEGIN { exit !(b + r * k > l / 2) }'; then
        refuse "construction and one round take more than half of a run of $time: no run would get far; give it a longer --time"
    fi
fi

# ---- the job: the template, with other settings
quoted() {
    printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"
}

header() { # LINES of sbatch options
    echo '#!/bin/sh'
    for option; do [ -z "$option" ] || echo "#SBATCH $option"; done
}

body() { # TEMPLATE
    sed -n '/^# ---- the job/,$p' "$here/$1"
}

settings() { # VARIABLE VALUE ...
    while [ $# -gt 0 ]; do
        [ -z "$2" ] || echo "export $1=$(quoted "$2")"
        shift 2
    done
}

write_job() {
    header "--job-name=$name" ${sweep:+"--array=0-$((tasks - 1))"} "--nodes=$nodes" "--ntasks-per-node=$ranks" --cpus-per-task=1 \
        "--time=$(((limit + 59) / 60))" "--mem=$((node_mb * 5 / 4))" ${partition:+"--partition=$partition"} ${account:+"--account=$account"} \
        "--output=%x-$([ -n "$sweep" ] && echo %A_%a || echo %j).log" --open-mode=append --requeue "--signal=B:USR1@$lead" "$extra"
    echo "# Written by submit.sh for $network: $neurons neurons, $connections connections, topology $(fact topology_sha256)"
    settings IOA_NETWORK "$network" IOA_BUDGET "$budget" IOA_TARGET "$target" IOA_REPLICAS "$replicas" IOA_OPTIONS "$options" \
        IOA_NAME "$name" IOA_LAUNCHER "$launcher" IOA_END_MARGIN "$((lead / 2))" IOANNEAL "$IOANNEAL" IOA_JOB "$IOA_JOB"
    if [ -n "$sweep" ]; then
        settings IOA_MEMORIES "$(echo "$memory" | tr ',' ' ')" IOA_POLICIES "$(echo "$policy" | tr ',' ' ')" \
            IOA_SEEDS "$(echo "$seed" | tr ',' ' ')"
        body sweep.sbatch
    else
        settings IOA_MEMORY "$memory" IOA_POLICY "$policy" IOA_SEED "$seed"
        body optimize.sbatch
    fi
}

write_merge() {
    header "--job-name=$name-merge" --nodes=1 --ntasks=1 --time=60 "--mem=$((rank_mb * 2))" ${partition:+"--partition=$partition"} \
        ${account:+"--account=$account"} --output=%x-%j.log
    settings IOA_NAME "$name" IOANNEAL "$IOANNEAL"
    body merge.sbatch
}

write_job >"$facts/job"
[ -z "$sweep" ] || write_merge >"$facts/merge"
if [ -n "$dry" ]; then
    cat "$facts/job"
    [ -z "$sweep" ] || { echo && cat "$facts/merge"; }
    exit 0
fi
id=$(timeout 60 sbatch --parsable "$facts/job") || exit 3
id=${id%%;*}
cp "$facts/job" "$name-$id.sbatch" || note "the job could not be kept as $name-$id.sbatch"
if [ -n "$sweep" ]; then
    merge=$(timeout 60 sbatch --parsable --dependency="afterany:$id" "$facts/merge" "$id" "$tasks") || exit 3
    echo "submitted array $id of $tasks tasks and the merge ${merge%%;*}; the result will be $name-$id.h5"
else
    echo "submitted job $id; the result will be $name-$id.h5"
fi
echo "how it goes: sh $here/status.sh"
