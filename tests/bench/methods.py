#!/usr/bin/env python3
"""All methods for equal time on given networks: excess over the compulsory I/O, what is left out of the layered order's, and
proposals per second.

usage: methods.py [--program ioanneal] [--ranks 3] [--seconds 60] [--memory 100,32] [--policy min] [--seed 1]
                  [--methods paper,construct,interval,priced,anneal,tempering] NET.h5 ...
       methods.py --from FILE.json

    paper      the paper's search: single connections shifted, every proposal simulated in full
    construct  the best constructive order, where all but the paper's search start: no time of its own, no proposals
    interval   annealing of intervals alone (--engine interval)
    priced     annealing of single connections alone (--engine priced)
    anneal     both levels, without exchange between replicas
    tempering  what `optimize` does by default

Each run is `mpirun -n RANKS ioanneal optimize`, construction included in its seconds; proposals per second are those of all
ranks together over that time, or over the whole run where the search ended before. Nothing else should run on the machine.
Prints a table with a line per network and, of more than two methods, one with a line per run, in Markdown. --results PAGE puts
them between the marks MARK of a page (--mark, default `methods`), --readme PAGE the former alone between the marks MARK-short.
--json keeps all figures, --from prints those again without a run. Needs only the standard library."""
import argparse, json, os, statistics, sys, tempfile, time

import page

METHODS = [  # name, options
    ("paper", ["--method", "paper"]),
    ("construct", ["--method", "construct"]),
    ("interval", ["--engine", "interval"]),
    ("priced", ["--engine", "priced"]),
    ("anneal", ["--method", "anneal"]),
    ("tempering", ["--method", "tempering"]),
]


def run(a, net, memory, policy, method, options, folder):
    out, began = os.path.join(folder, "out.h5"), time.monotonic()
    r = page.call([a.mpirun, "--oversubscribe", "-n", a.ranks, a.program, "optimize", net, "-o", out, "--memory", memory, "--policy",
                   policy, "--seconds", a.seconds, "--seed", a.seed, "--timing", 0, "--quiet", "--json"] + options)["schedules"][0]
    if not r["verified"]:
        sys.exit(f"{net}: {method}: not verified")
    speed = r["proposals"] / min(a.seconds, time.monotonic() - began)
    return dict(r, network=page.stem(net), method=method, policy=policy, proposals_per_second=speed, seconds=a.seconds, seed=a.seed,
                ranks=a.ranks)


def construct_of(r):
    """The run that ends where another one starts."""
    return dict(r, method="construct", excess=r["start_total"] - r["lower_bound"], total=r["start_total"], proposals=0,
                proposals_per_second=0)


def measure(a):
    names = a.methods.split(",")
    methods = [m for m in METHODS if m[0] in names]
    if len(methods) != len(names):
        sys.exit(f"--methods: there are {', '.join(name for name, _ in METHODS)}")
    source = next((name for name, _ in methods if name not in ("paper", "construct")), None)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for policy in a.policy.split(","):
            for memory in a.memory.split(","):
                for net in a.nets:
                    runs = {m: run(a, net, memory, policy, m, o, folder) for m, o in methods if m != "construct" or not source}
                    if "construct" in names and source:
                        runs["construct"] = construct_of(runs[source])
                    for name, _ in methods:
                        rows.append(runs[name])
                        print("{network} {policy} M = {memory} {method}: {excess:,}".format(**rows[-1]), file=sys.stderr)
    return rows


# ---- text ----

def joined(values):
    return ",".join(dict.fromkeys(map(str, values)))


def introduction(rows):
    """What was run, and the command that does it again."""
    r = rows[0]
    policies = list(dict.fromkeys(r["policy"].upper() for r in rows))
    methods = [name for name, _ in METHODS if any(r["method"] == name for r in rows)]
    runs = "All methods for equal time" if len(methods) > 2 else "Excess"
    return (f"{runs} under {' and '.join(policies)}: {r['seconds']:g} seconds of {max(1, r['ranks'] - 1)} workers for each run, seed "
            f"{r['seed']}.\n\n", "```sh\n"
            f"python3 tests/bench/methods.py --seconds {r['seconds']:g} --memory {joined(r['memory'] for r in rows)} "
            f"--policy {joined(r['policy'] for r in rows)} --methods {','.join(methods)} NET.h5 ...\n```\n")


def layered(r):
    return r["baseline_total"] - r["lower_bound"]


def change(r):
    """Of the excess against that of the layered order, in percent."""
    return 100 * (r["excess"] - layered(r)) / layered(r) if layered(r) else 0.0


def speed(value):
    return f"{value:,.0f}" if value else "-"


def per_run(rows):
    return page.table(["network", "policy", "M", "method", "excess", "against layered", "proposals/s"],
                      [[r["network"], r["policy"].upper(), r["memory"], r["method"], f"{r['excess']:,}", f"{change(r):.1f} %",
                        speed(r["proposals_per_second"])] for r in rows])


def per_network(rows):
    """A line per network; below, each method's mean reduction against the layered order, and its median speed."""
    methods = [name for name, _ in METHODS if any(r["method"] == name for r in rows)]
    several = len({r["policy"] for r in rows}) > 1
    cases = list(dict.fromkeys((r["network"], r["policy"], r["memory"]) for r in rows))
    lines = []
    for case in cases:
        of = {r["method"]: r for r in rows if (r["network"], r["policy"], r["memory"]) == case}
        least = min(r["excess"] for r in of.values())
        cells = [f"**{r['excess']:,}**" if len(of) > 2 and r["excess"] == least else f"{r['excess']:,}" for r in map(of.get, methods)]
        last = of[methods[-1]]
        lines.append([case[0]] + [case[1].upper()] * several + [case[2], f"{layered(last):,}"] + cells + [f"{change(last):.1f} %"])
    empty = [""] * several + ["", ""]
    each = [[r for r in rows if r["method"] == m] for m in methods]
    lines.append(["against layered, mean"] + empty + [f"{statistics.mean(map(change, e)):.1f} %" for e in each] + [""])
    lines.append(["proposals/s, median"] + empty + [speed(statistics.median(r["proposals_per_second"] for r in e)) for e in each] + [""])
    heads = ["network"] + ["policy"] * several + ["M", "layered"] + methods + ["against layered"]
    return page.table(heads, lines)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("nets", nargs="*", metavar="NET.h5")
    p.add_argument("--program", default=page.PROGRAM)
    p.add_argument("--mpirun", default="mpirun")
    p.add_argument("--ranks", type=int, default=3)
    p.add_argument("--seconds", type=float, default=60)
    p.add_argument("--memory", default="100,32")
    p.add_argument("--policy", default="min", help="one or several of lru, rr, min, separated by commas")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--methods", default=",".join(name for name, _ in METHODS))
    p.add_argument("--json", help="file for all figures")
    p.add_argument("--from", dest="source", metavar="FILE.json", help="print these figures, run nothing")
    p.add_argument("--results", metavar="PAGE", help="put both tables between the marks MARK of this page")
    p.add_argument("--readme", metavar="PAGE", help="put the table of networks between the marks MARK-short of this page")
    p.add_argument("--mark", default="methods")
    a = p.parse_args()
    if a.source:
        with open(a.source) as f:
            rows = json.load(f)
    elif a.nets:
        rows = measure(a)
    else:
        p.error("networks or --from are wanted")
    if a.json:
        with open(a.json, "w") as f:
            json.dump(rows, f, indent=1)
    short = per_network(rows)
    long = short + "\n" + per_run(rows) if len({r["method"] for r in rows}) > 2 else short
    begin, command = introduction(rows)
    print(begin + long + "\n" + command)
    if a.results:
        page.embed(a.results, a.mark, begin + long + "\n" + command)
    if a.readme:
        page.embed(a.readme, a.mark + "-short", begin + short + "\n" + command)


if __name__ == "__main__":
    main()
