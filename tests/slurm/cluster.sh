#!/usr/bin/env bash
# cluster.sh COMMAND ARGUMENTS...: runs COMMAND on a SLURM of its own: one machine, two virtual nodes n1 and n2 of two CPUs,
# the partitions "low" (default; its jobs are preempted) and "high". No systemd, no configuration of the machine's is read or
# changed; all state is in one temporary folder, which COMMAND finds in $CLUSTER. Exit code: COMMAND's, 77 with a reason if
# this machine cannot do it, 3 if the daemons do not start. `cluster.sh bash` gives a shell to try things in.
#
# Everything runs in namespaces of its own: processes, so that nothing survives COMMAND, not even when this script is
# killed; mounts, so that the folder and /dev/shm are memory that vanishes; host names, one per node, because Open MPI
# names shared memory by host. Root is not needed where users may have namespaces.
set -eu
export LC_ALL=C

cannot() {
    echo "skipped: $*"
    exit 77
}

# ---- outside: into the namespaces
if [ "${1:-}" != --inside ]; then
    [ $# -gt 0 ] || { echo "usage: cluster.sh COMMAND ARGUMENTS..." >&2; exit 2; }
    for tool in munged:munge slurmctld:slurmctld slurmd:slurmd sbatch:slurm-client unshare:util-linux; do
        command -v "${tool%:*}" >/dev/null || [ -x "/usr/sbin/${tool%:*}" ] ||
            cannot "${tool%:*} is missing (Debian: ${tool#*:}; sh jobs/install-packages.sh test)"
    done
    spaces="--pid --mount --uts --ipc --fork --kill-child --mount-proc"
    [ "$(id -u)" -eq 0 ] || spaces="--map-current-user --keep-caps $spaces"
    # shellcheck disable=SC2086
    unshare $spaces true 2>/dev/null || cannot "this machine does not let user $(id -un) have namespaces (unshare $spaces)"
    CLUSTER=$(mktemp -d "${TMPDIR:-/tmp}/ioa-slurm.XXXXXX")
    export CLUSTER
    # shellcheck disable=SC2086
    exec unshare $spaces "$BASH" "$0" --inside "$@"
fi
shift

# ---- inside: process 1
PATH=$PATH:/usr/sbin:/sbin
mount -t tmpfs -o size=1g,mode=755 ioa-slurm "$CLUSTER"
mount -t tmpfs -o size=1g,mode=1777 ioa-shm /dev/shm
trap 'cd / && umount -l "$CLUSTER" && rmdir "$CLUSTER"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$CLUSTER"
mkdir spool spool/n1 spool/n2 spool/n1/tmp spool/n2/tmp state log run work
host=$(hostname)
user=$(id -un)
export SLURM_CONF=$CLUSTER/slurm.conf

# Three ports nobody listens on: no two clusters of one machine meet. Below those that Linux lends to connections that leave,
# 32768 and up: such a one has no listener, and cannot be listened on all the same.
free_ports() {
    local port found=()
    for ((port = 10000 + RANDOM % 22000; ${#found[@]} < 3; port++)); do
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then found+=("$port"); fi
    done
    echo "${found[@]}"
}
read -r port_ctl port_n1 port_n2 < <(free_ports)

cat >slurm.conf <<C
ClusterName=ioanneal
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port_ctl
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$CLUSTER/run/munge.sock,cred_expire=5
StateSaveLocation=$CLUSTER/state
SlurmdSpoolDir=$CLUSTER/spool/%n
TmpFS=$CLUSTER/spool/%n/tmp
SlurmctldPidFile=$CLUSTER/run/slurmctld.pid
SlurmdPidFile=$CLUSTER/run/%n.pid
SlurmctldLogFile=$CLUSTER/log/slurmctld
SlurmdLogFile=$CLUSTER/log/%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=sched_min_interval=100000,batch_sched_delay=0,bf_interval=2
ReturnToService=2
SlurmdTimeout=6
SlurmctldTimeout=30
KillWait=5
MessageTimeout=10
InactiveLimit=0
MinJobAge=600
MailProg=/bin/true
JobRequeue=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$port_n1 CPUs=2 RealMemory=1000
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$port_n2 CPUs=2 RealMemory=1000
PartitionName=low Nodes=n1,n2 Default=YES MaxTime=1440 DefaultTime=10 PriorityTier=1 GraceTime=${CLUSTER_GRACE:-10} State=UP
PartitionName=high Nodes=n1,n2 MaxTime=1440 DefaultTime=10 PriorityTier=10 PreemptMode=OFF State=UP
C
echo 'CgroupAutomount=no' >cgroup.conf

# A node lives and dies as a whole: all processes with its host name. `bash $CLUSTER/node.sh start|kill n1|n2`.
cat >node.sh <<'C'
case $1 in
start) exec setsid unshare --uts bash -c 'hostname "$0" && exec slurmd -D -N "$0"' "$2" \
    >>"$CLUSTER/log/$2.out" 2>&1 </dev/null ;;
kill)
    space=$(readlink "/proc/$(cat "$CLUSTER/run/$2.pid")/ns/uts")
    for process in /proc/[0-9]*; do
        [ "$(readlink "$process/ns/uts" 2>/dev/null)" != "$space" ] || kill -KILL "${process#/proc/}" 2>/dev/null
    done
    rm -rf "$CLUSTER/run/$2.pid" "${CLUSTER:?}/spool/$2" # as after a reboot
    mkdir -p "$CLUSTER/spool/$2/tmp" ;;
esac
C

dd if=/dev/urandom of=munge.key bs=128 count=1 2>/dev/null
chmod 600 munge.key
munged --force --key-file="$CLUSTER/munge.key" --socket="$CLUSTER/run/munge.sock" --pid-file="$CLUSTER/run/munged.pid" \
    --log-file="$CLUSTER/log/munged" --seed-file="$CLUSTER/run/munge.seed" >log/munged.out 2>&1 || true
slurmctld -i >log/slurmctld.out 2>&1 || true
for node in n1 n2; do (bash node.sh start $node &); done

for ((i = 0; i < 300; i++)); do
    [ "$(timeout 5 sinfo -h -p low -t idle -o %D 2>/dev/null)" != 2 ] || break
    sleep 0.1
done
if [ $i -eq 300 ]; then
    echo "the cluster did not start:" >&2
    tail -n 5 log/* >&2
    exit 3
fi
cd "$OLDPWD"
code=0
"$@" <&0 &
wait $! || code=$?
exit $code
