#!/usr/bin/env python3
"""Does exchange pay, and what do more ranks bring? Tables in Markdown.

usage: tempering.py [options] NET.h5 ...

1. Tempering against as many independent annealers, and against one long annealer, at equal work: K replicas of R rounds,
   and one of K R rounds, several seeds. Work is counted in rounds of a replica, so that it does not matter what else
   runs. Median excess over the compulsory I/O, and its range.
2. The same run on one core and on two (three ranks, the last one verifies, at the lowest priority): efficiency, and where the
   rest goes: work that takes longer beside other work, waiting for the slower worker, messages. Medians of several runs.
   For these nothing else may run on the machine.
3. A model of larger jobs, from the parts measured in 2: the spread of the times of rounds, the size of the messages, and a
   network of given latency and bandwidth. One replica per worker.
4. Only if asked for: what adapting shares and windows of moves brings, at equal work.

Needs h5py; two runs of tables 1 and 4 at a time."""
import argparse, concurrent.futures, json, math, os, statistics, subprocess, sys, tempfile

import h5py

ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_ess_singleton_isolated="1")
MESSAGE, REPORT, SURVEY = 5, 4, 145  # numbers of 8 bytes per worker of one replica: optimizer/search/tempering/tempering_message.h


def optimize(a, net, out, ranks, options):
    command = [a.program, "optimize", net, "-o", out, "--timing", "0", "--quiet", "--json"] + [str(o) for o in options]
    if ranks > 1:
        command = [a.mpirun, "--oversubscribe", "-n", str(ranks)] + command
    done = subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    result = json.loads(done.stdout)["schedules"][0]
    if not result["verified"]:
        sys.exit(f"{' '.join(command)}: not verified")
    return result


def name(net):
    return os.path.splitext(os.path.basename(net))[0]


def exchange_methods(a, rounds):
    return [(f"tempering, {a.replicas} replicas", ["--method", "tempering", "--replicas", a.replicas, "--rounds", rounds]),
            (f"{a.replicas} independent", ["--method", "anneal", "--replicas", a.replicas, "--rounds", rounds]),
            ("one long", ["--method", "anneal", "--replicas", 1, "--rounds", a.replicas * rounds])]


def adaptations(a, rounds):
    return [(what, ["--adapt", what, "--replicas", a.replicas, "--rounds", rounds]) for what in ("none", "shares", "windows", "both")]


def compare(a, folder, list_methods):
    rounds = max(1, a.work // a.replicas)
    methods = list_methods(a, rounds)
    print(f"## Equal work: {a.replicas * rounds} rounds of a replica, {a.seeds} seeds, M = {a.memory}\n")
    print("| network | " + " | ".join(m for m, _ in methods) + " | proposals |\n|---|" + "---|" * (len(methods) + 1))
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        for net in a.nets:
            runs = [[pool.submit(optimize, a, net, os.path.join(folder, f"{name(net)}-{i}-{seed}.h5"), 1,
                                 options + ["--memory", a.memory, "--seed", seed, "--patience", 0])
                     for seed in range(1, a.seeds + 1)] for i, (_, options) in enumerate(methods)]
            cells, proposals = [], []
            for row in runs:
                results = [r.result() for r in row]
                excess = sorted(r["excess"] for r in results)
                proposals.append(statistics.mean(r["proposals"] for r in results))
                cells.append(f"{statistics.median(excess):,.0f} ({excess[0]:,} .. {excess[-1]:,})")
            spread = " / ".join(f"{p / 1e6:.2f} M" for p in proposals)
            print(f"| {name(net)} | " + " | ".join(cells) + f" | {spread} |", flush=True)
    print()


def parts(a, net, folder, ranks):
    out = os.path.join(folder, f"cores-{ranks}.h5")
    optimize(a, net, out, ranks, ["--memory", a.memory, "--seed", 1, "--patience", 0, "--replicas", 2, "--rounds", max(1, a.work // 2)])
    with h5py.File(out) as f:
        times = {k: v[:] for k, v in f["schedules/0000/measured/search"].items()}
        search = json.loads(f["provenance"].attrs["search"])[0]
    times["repeat"] = search["repeat"]
    return times


def seconds(times):
    return times["annealing"].sum() + times["exchanging"].sum()


def cores(a, folder):
    print(f"## One core and two: 2 replicas, medians of {a.repeats} runs\n")
    print("| network | rounds | one core | two cores | efficiency | slower work | waiting | messages | imbalance |\n|---|---|---|---|---|---|---|---|---|")
    found = {}
    for net in a.nets:
        pairs = sorted(([parts(a, net, folder, ranks) for ranks in (1, 3)] for _ in range(a.repeats)),
                       key=lambda pair: seconds(pair[0]) / seconds(pair[1]))
        one, two = pairs[len(pairs) // 2]  # the one of median efficiency
        single, double = seconds(one), seconds(two)
        slower = two["annealing"].sum() - one["annealing"].sum() / 2
        waiting = (two["slowest"] - two["annealing"]).sum()
        messages = max(0.0, two["exchanging"].sum() - waiting)
        print(f"| {name(net)} | {len(one['annealing'])} | {single:.2f} s | {double:.2f} s | {100 * single / (2 * double):.0f} % | "
              f"{100 * slower / double:.1f} % | {100 * waiting / double:.1f} % | {100 * messages / double:.1f} % | "
              f"{100 * (1 - two['annealing'].sum() / two['slowest'].sum()):.1f} % |", flush=True)
        found[net] = two
    return found


def expected_most(mean, deviation, n):
    """Blom's approximation of the largest of n normal values."""
    return mean if n == 1 else mean + deviation * statistics.NormalDist().inv_cdf((n - 0.375) / (n + 0.25))


def model(a, measured):
    print(f"\n## Model of larger jobs: one replica per worker, latency {a.latency * 1e6:.0f} us, {a.bandwidth / 1e9:.0f} GB/s\n")
    print("| network | workers | round | gathering | survey's gathering | waiting | efficiency |\n|---|---|---|---|---|---|---|")
    for net, t in measured.items():
        mean = statistics.mean(t["annealing"])
        deviation = math.sqrt(math.pi) * statistics.mean(t["slowest"] - t["annealing"])  # of two: |a - b| / 2 = deviation / sqrt(pi)
        for n in (1, 2, 8, 48, 200, 1000):
            steps = math.ceil(math.log2(n)) if n > 1 else 0
            gather = [steps * a.latency + (n - 1) * 8 * (MESSAGE + REPORT + extra) / a.bandwidth for extra in (0, SURVEY)]
            most = expected_most(mean, deviation, n)
            round_time = most + gather[0] + (gather[1] - gather[0]) / 16  # one round in 16 has a survey
            print(f"| {name(net)} | {n} | {1e3 * round_time:.2f} ms | {1e6 * gather[0]:.0f} us | {1e6 * gather[1]:.0f} us | "
                  f"{1e3 * (most - mean):.2f} ms | {100 * mean / round_time:.1f} % |")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("nets", nargs="+")
    p.add_argument("--program", default=os.path.join(os.path.dirname(__file__), "../../.build/release/bin/ioanneal"))
    p.add_argument("--mpirun", default="mpirun")
    p.add_argument("--memory", type=int, default=100)
    p.add_argument("--replicas", type=int, default=4)
    p.add_argument("--work", type=int, default=320, help="rounds of a replica in all")
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--repeats", type=int, default=3, help="runs of the second table")
    p.add_argument("--jobs", type=int, default=2, help="runs of the first table at a time")
    p.add_argument("--tables", default="123", help="which ones; 3 needs 2")
    p.add_argument("--latency", type=float, default=2e-6, help="seconds per step of a gathering")
    p.add_argument("--bandwidth", type=float, default=1e10, help="bytes per second into a rank")
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if "1" in a.tables:
            compare(a, folder, exchange_methods)
        if "4" in a.tables:
            compare(a, folder, adaptations)
        measured = cores(a, folder) if "2" in a.tables or "3" in a.tables else {}
        if "3" in a.tables:
            model(a, measured)


if __name__ == "__main__":
    main()
