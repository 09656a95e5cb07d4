#!/usr/bin/env python3
"""Networks no rule was made for: is the default search as good as the best single method on them?

usage: unseen.py [--program ioanneal] [--seeds 7001] [--memory 16,32,100,1000] [--only TEXT,..] [--masks DIR] [--work 1000000]
       unseen.py --quick [--masks DIR]
       unseen.py --from FILE.json [--before FILE.json]

Makes networks of all kinds from seeds (perceptrons wide, narrow, deep, dense, very sparse and with a bottleneck, communities,
products of radices, grown networks, graphs with connections that skip layers; hidden structure also with the neurons of every
layer renumbered), takes real masks from the .smtx files of a folder, a network for every file and one for the files of a folder
that follow each other as layers, and searches each of them by every method (see methods.py) at each memory under MIN.

Work is counted and not timed, so that the figures are the same on every machine, whatever else runs: every run is of --work / W
rounds, between --least and --most. Rounds of the methods are made to cost about the same; the seconds of processor time tell
how far they do. --seconds makes runs of so many seconds instead; then nothing else should run on the machine. With several
--search-seeds it is medians that are compared.

Prints a line for every network and memory, with a flag where the default is worse than the best single method by more than
--flag percent of its excess, and sums for every kind of network. --before compares with the figures of an earlier run
(--json): how the default's excess has changed. Cases in which the search starts without excess are left out, and counted.
Needs only the standard library."""
import argparse, concurrent.futures, json, math, os, statistics, sys, tempfile

import methods
import page

DEFAULT = "tempering"
SEARCHED = ("interval", "priced", "anneal", DEFAULT)
MLPS = [  # name, widths, density
    ("sparse", [400] * 4, 0.008), ("middling", [300] * 4, 0.03), ("dense", [128] * 3, 0.5), ("deep", [60] * 24, 0.1),
    ("narrow", [24] * 40, 0.3), ("wide", [3000] * 2, 0.003), ("hidden", [784, 600, 10], 0.05), ("bottleneck", [800, 24, 800], 0.4),
]
COMMUNITIES = [  # name, width, communities, density, outside, layers
    ("of-7-a-row", 512, 8, 0.1, 0.0015, 2), ("of-16-a-row", 384, 6, 0.22, 0.006, 3), ("many", 768, 48, 0.5, 0.001, 2),
]
RADICES = [("8-8-8", 3), ("32-16", 2), ("4-4-4-4", 8), ("16-8-4", 3)]  # name, layers
GROWN = [("50", 1500, 10), ("150", 1500, 6)]  # grown for M, neurons, fan-in
GRAPHS = [("skips-far", 1200, 8, 0), ("skips-near", 1200, 8, 150), ("skips-thin", 1500, 3, 400)]  # name, neurons, fan-in, reach
QUICK = ("mlp-narrow", "radixnet-8-8-8-permuted", "dag-skips-thin")
QUICK_WORK = 10000
FIGURES = ("excess", "proposals", "cpu")


def generated(seed):
    """(kind, name, arguments of `generate`) of every network of a seed."""
    for name, widths, density in MLPS:
        yield "mlp", f"mlp-{name}", ["--widths", ",".join(map(str, widths)), "--density", density, "--seed", seed]
    for name, width, communities, density, outside, layers in COMMUNITIES:
        made = ["--width", width, "--communities", communities, "--density", density, "--outside", outside, "--layers", layers,
                "--seed", seed]
        yield "community", f"community-{name}", made
        yield "community", f"community-{name}-permuted", made + ["--permute"]
    for name, layers in RADICES:
        made = ["--radices", name.replace("-", ","), "--layers", layers, "--seed", seed]
        yield "radixnet", f"radixnet-{name}", made
        yield "radixnet", f"radixnet-{name}-permuted", made + ["--permute"]
    for memory, neurons, fan_in in GROWN:
        yield "compact-growth", f"compact-growth-{memory}", ["--neurons", neurons, "--memory", memory, "--fan-in", fan_in, "--seed", seed]
    for name, neurons, fan_in, reach in GRAPHS:
        yield "dag", f"dag-{name}", ["--neurons", neurons, "--fan-in", fan_in, "--reach", reach, "--seed", seed]


def masks(folder):
    """(name, files) of the networks in a folder and those below it."""
    for path, _, names in sorted(os.walk(folder)):
        files = [os.path.join(path, name) for name in sorted(names) if name.endswith(".smtx")]
        where = os.path.basename(os.path.normpath(path))
        for file in files:
            yield f"{where}/{page.stem(file)}", [file]
        if len(files) > 1 and all(following(files)):
            yield f"{where}/all", files


def following(files):
    """Whether each file's columns are the rows of the one before. The first line of a file is `rows, columns, connections`."""
    shapes = []
    for file in files:
        with open(file) as f:
            shapes.append([int(word) for word in f.readline().split(",")])
    return [one[0] == other[1] for one, other in zip(shapes, shapes[1:])]


def make(a, folder):
    """Makes all networks that are wanted: their kind, name, seed and path."""
    wanted = a.only.split(",") if a.only else None
    nets = []

    def add(kind, name, seed, command):
        if wanted is None or kind == "mask" or any(text in name for text in wanted):
            path = os.path.join(folder, f"{len(nets)}.h5")
            page.call([a.program] + command + ["-o", path, "--json"])
            connections = page.call([a.program, "info", path, "--json"])["connections"]
            if connections:
                nets.append({"kind": kind, "network": name, "network_seed": seed, "path": path, "connections": connections})
            else:  # some masks prune a layer away
                print(f"{name}: no connections", file=sys.stderr)

    for seed in a.seeds.split(","):
        for kind, name, options in generated(int(seed)):
            add(kind, name, int(seed), ["generate", kind] + options)
    for name, files in masks(a.masks) if a.masks else ():
        add("mask", name, None, ["import"] + files + ["--format", "smtx"])
    return nets


def search(a, net, memory, method, seed, out):
    rounds = max(a.least, min(a.most, a.work // net["connections"]))
    length = ["--seconds", a.seconds] if a.seconds else ["--rounds", rounds]
    options = dict(methods.METHODS)[method]
    result, cpu = page.timed_call([a.program, "optimize", net["path"], "-o", out, "--memory", memory, "--policy", "min", "--seed", seed,
                                   "--timing", 0, "--quiet", "--json"] + length + options)
    r = result["schedules"][0]
    if not r["verified"]:
        sys.exit(f"{net['network']}: {method}: not verified")
    return dict(r, cpu=cpu)


def case(a, net, memory, folder):
    """A row of the figures, all methods; without any where the start has no excess."""
    out = os.path.join(folder, f"{page.stem(net['path'])}-{memory}.out.h5")
    row = {key: value for key, value in net.items() if key != "path"}
    row.update(memory=memory, methods={})
    for method in a.methods.split(","):
        runs = []
        for seed in a.search_seeds.split(","):
            runs.append(search(a, net, memory, method, int(seed), out))
            if runs[-1]["start_total"] == runs[-1]["lower_bound"]:
                break
        row.update(layered=methods.layered(runs[0]), construct=methods.construct_of(runs[0])["excess"],
                   certified=runs[0]["certified_bound"] - runs[0]["lower_bound"])
        if row["construct"] == 0:
            break
        row["methods"][method] = {key: statistics.median(r[key] for r in runs) for key in FIGURES}
    print(f"{net['network']} M = {memory}: " + ", ".join(f"{m} {r['excess']:,.0f}" for m, r in row["methods"].items()), file=sys.stderr)
    return row


def measure(a):
    with tempfile.TemporaryDirectory() as folder:
        nets = make(a, folder)
        cases = [(net, memory) for net in nets for memory in map(int, a.memory.split(","))]
        with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
            return list(pool.map(lambda c: case(a, c[0], c[1], folder), cases))


# ---- text ----

def excess(row, method=DEFAULT):
    return row["methods"][method]["excess"]


def behind(row):
    """By how many percent of the best single method's excess the default is worse; below 0 where it is better."""
    others = [excess(row, m) for m in row["methods"] if m != DEFAULT]
    if DEFAULT not in row["methods"] or not others:
        return None
    least = min(others)
    return 100 * (excess(row) - least) / least if least else 0.0 if excess(row) == 0 else math.inf


def percent(value):
    return "-" if value is None else f"{value:+.1f} %"


def searched(rows):
    return [row for row in rows if row["methods"]]


def per_case(rows, flag):
    names = [m for m in SEARCHED if any(m in r["methods"] for r in rows)]
    lines = []
    for row in searched(rows):
        late = behind(row)
        seed = "" if row["network_seed"] is None else row["network_seed"]
        lines.append([row["network"], seed, f"{row['connections']:,}", row["memory"], f"{row['certified']:,}", f"{row['layered']:,}",
                      f"{row['construct']:,}"] + [f"{excess(row, m):,.0f}" for m in names] +
                     [percent(late), "worse" if late is not None and late > flag else ""])
    return page.table(["network", "seed", "W", "M", "certified", "layered", "construct"] + names + ["against the best", "flag"], lines)


def per_kind(rows, flag):
    """Sums for every kind of network: what the default takes off the start, how it compares, what it costs."""
    lines = []
    for kind in list(dict.fromkeys(r["kind"] for r in rows)) + [None]:
        of = [r for r in searched(rows) if kind in (None, r["kind"]) and behind(r) is not None]
        if not of:
            continue
        late = [behind(r) for r in of]
        cpu = {m: sum(r["methods"][m]["cpu"] for r in of) for m in of[0]["methods"]}
        lines.append([kind or "all", len(of), percent(statistics.mean(100 * (excess(r) / r["construct"] - 1) for r in of)),
                      percent(statistics.median(late)), percent(max(late)), sum(one > flag for one in late),
                      " / ".join(f"{cpu[m]:.0f}" for m in SEARCHED if m in cpu)])
    return page.table(["kind", "cases", "against construct, mean", "against the best, median", "worst", "flagged",
                       "seconds of processor"], lines)


def key_of(row):
    return row["network"], row["network_seed"], row["memory"]


def compare(rows, earlier):
    """The default before and now."""
    known = {key_of(r): r for r in searched(earlier) if DEFAULT in r["methods"]}
    lines, changes = [], []
    for row in searched(rows):
        if DEFAULT not in row["methods"] or key_of(row) not in known:
            continue
        before, now = excess(known[key_of(row)]), excess(row)
        changes.append(100 * (now - before) / before if before else 0.0 if now == 0 else math.inf)
        seconds = [r["methods"][DEFAULT]["cpu"] for r in (known[key_of(row)], row)]
        lines.append([row["network"], row["network_seed"] or "", row["memory"], f"{before:,.0f}", f"{now:,.0f}", percent(changes[-1]),
                      "{:.1f} / {:.1f}".format(*seconds)])
    if not lines:
        return ""
    lines.append(["mean", "", "", "", "", percent(statistics.mean(changes)), ""])
    return page.table(["network", "seed", "M", "before", "now", "change", "seconds of processor"], lines)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--program", default=page.PROGRAM)
    p.add_argument("--seeds", default="7001", help="of the networks, separated by commas")
    p.add_argument("--search-seeds", default="1", help="of the searches; the median of their results counts")
    p.add_argument("--memory", default="16,32,100,1000")
    p.add_argument("--only", help="made networks whose names contain one of these texts")
    p.add_argument("--masks", metavar="DIR", help="folder of .smtx files")
    p.add_argument("--methods", default=",".join(SEARCHED))
    p.add_argument("--work", type=int, default=1000000, help="rounds times connections of a run")
    p.add_argument("--least", type=int, default=20, help="rounds")
    p.add_argument("--most", type=int, default=160, help="rounds")
    p.add_argument("--seconds", type=float, help="instead of rounds")
    p.add_argument("--jobs", type=int, default=1, help="cases at a time")
    p.add_argument("--flag", type=float, default=2, help="percent")
    p.add_argument("--quick", action="store_true", help="three small networks, few rounds, M = 16: does it run?")
    p.add_argument("--json", help="file for all figures")
    p.add_argument("--from", dest="source", metavar="FILE.json", help="print these figures, run nothing")
    p.add_argument("--before", metavar="FILE.json", help="compare with these figures")
    a = p.parse_args()
    if set(a.methods.split(",")) - set(SEARCHED):
        p.error(f"--methods: there are {', '.join(SEARCHED)}")
    if a.quick:
        a.only, a.memory, a.work, a.least = ",".join(QUICK), "16", QUICK_WORK, 2
    if a.source:
        with open(a.source) as f:
            rows = json.load(f)
    else:
        rows = measure(a)
    if a.json:
        with open(a.json, "w") as f:
            json.dump(rows, f, indent=1)
    print(per_case(rows, a.flag) + "\n" + per_kind(rows, a.flag))
    without = len(rows) - len(searched(rows))
    if without:
        print(f"{without} cases start without excess.\n")
    if a.before:
        with open(a.before) as f:
            print(compare(rows, json.load(f)))


if __name__ == "__main__":
    main()
