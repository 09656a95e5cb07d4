#!/usr/bin/env python3
"""The paper's studies repeated: I/O of random perceptrons against memory, density, width and depth, under LRU, RR and MIN, for
the layered order, the paper's own search, and this program's; the same against the proposals spent; and networks of compact
growth, grown for several memories M_g, against memory.

usage: studies.py [--program ioanneal] [--study memory|density|width|depth|work|growth] [--jobs 1] [--plots DIR]
       studies.py --from FILE.json

Work is counted and not timed, so that the figures are the same on every machine, whatever else runs:

    paper     the paper's search (`--method paper`, one replica, temperatures 0.15 to 0.05): --work / W proposals, at most --most.
              As each of them simulates the whole order, that is about --work connections, whatever the network.
    equal     this program's search with at most as many proposals: moves of its fine level come eight at a time, so that it
              is between an eighth of them and all
    ours      this program's search with --rounds rounds

Prints Markdown: I/O over the compulsory one (total / LB, 1 is least) for every case, and the mean reduction of the excess against
the layered order for every study. --results PAGE and --readme PAGE put the one and the other between the marks `studies` and
`studies-short` of a page. --json keeps all figures, --from prints those again without a run. --plots draws SVGs (gnuplot)."""
import argparse, concurrent.futures, json, os, statistics, sys, tempfile

import page
import studies_plot

POLICIES = ("lru", "rr", "min")
ROUNDS = 20    # of the paper's search and of ours with as many proposals
REPLICAS = 2   # of ours
FINER = 8      # proposals of the fine level for one of the coarse: optimizer/search/engine/engine_levels.c


def mlp(width, depth, density):
    return ["mlp", "--widths", ",".join([str(width)] * depth), "--density", density, "--seed", 11]


def grown(memory):
    return ["compact-growth", "--neurons", 2000, "--inputs", 100, "--memory", memory, "--fan-in", 10, "--seed", 11]


# title, x axis, cases: (x, label, network, M, proposals of the paper's search or None for --work)
STUDIES = {
    "memory": ("Against memory: 4 layers of 500, density 10 %", "M",
               [(m, f"M = {m}", mlp(500, 4, 0.1), m, None) for m in (10, 32, 100, 316, 1000)]),
    "density": ("Against density: 4 layers of 500, M = 100", "density, %",
                [(100 * d, f"{100 * d:g} %", mlp(500, 4, d), 100, None) for d in (0.005, 0.02, 0.05, 0.1, 0.2)]),
    "width": ("Against width: 4 layers, density 10 %, M = 100", "neurons per layer",
              [(w, f"{w} wide", mlp(w, 4, 0.1), 100, None) for w in (100, 200, 400, 800)]),
    "depth": ("Against depth: layers of 200, density 10 %, M = 100", "layers",
              [(n, f"{n} layers", mlp(200, n, 0.1), 100, None) for n in (2, 4, 8, 16)]),
    "work": ("Against proposals: 4 layers of 100, density 5 %, M = 20", "proposals",
             [(n, f"{n:,} proposals", mlp(100, 4, 0.05), 20, n) for n in (1000, 10000, 100000)]),
    "growth": ("Compact growth for M_g, fan-in 10, 2,000 neurons", "M / M_g",
               [(x, f"M_g = {g}, M = {round(g * x)}", grown(g), round(g * x), None)
                for g in (25, 50, 100, 200) for x in (0.5, 0.75, 0.9, 1, 2)]),
}
SEARCHED = ("paper", "equal", "ours")


def search(a, net, memory, policy, folder, options):
    out = os.path.join(folder, "out.h5")
    return page.call([a.program, "optimize", net, "-o", out, "--memory", memory, "--policy", policy, "--timing", 0, "--quiet", "--json"]
                     + options)["schedules"][0]


def study_case(a, study, case, policy):
    x, label, network, memory, proposals = case
    with tempfile.TemporaryDirectory() as folder:
        net = os.path.join(folder, "net.h5")
        page.call([a.program, "generate"] + network + ["-o", net, "--json"])
        layered = page.call([a.program, "simulate", net, "--memory", memory, "--policy", policy, "--json"])
        w = page.call([a.program, "info", net, "--json"])["connections"]
        row = {"study": study, "x": x, "case": label, "policy": policy, "memory": memory, "connections": w,
               "lower_bound": layered["lower_bound"], "layered": layered["total"]}
        if study == "growth":
            row["grown_for"] = int(network[network.index("--memory") + 1])
        if layered["excess"] == 0:  # nothing can be below it, and every search keeps the best it has seen
            nothing = {"total": layered["total"], "proposals": 0}
            return dict(row, construct=layered["total"], certified=layered["total"], **{s: dict(nothing) for s in SEARCHED})
        proposals = proposals or min(a.most, a.work // w)
        each = max(1, proposals // ROUNDS)
        runs = {"paper": ["--method", "paper", "--replicas", 1, "--rounds", ROUNDS, "--proposals", each, "--patience", 0],
                "equal": ["--replicas", REPLICAS, "--rounds", ROUNDS, "--proposals", max(1, each // (REPLICAS * FINER)), "--patience", 0],
                "ours": ["--rounds", a.rounds]}
        for name, options in runs.items():
            r = search(a, net, memory, policy, folder, options)
            if not r["verified"] or (name == "equal" and r["proposals"] > max(proposals, ROUNDS * REPLICAS * FINER)):
                sys.exit(f"{label}, {policy}, {name}: not verified, or {r['proposals']} proposals where {proposals} were meant")
            row[name] = {"total": r["total"], "proposals": r["proposals"]}
        return dict(row, construct=r["start_total"], certified=r["certified_bound"])


def measure(a):
    jobs = [(study, case, policy) for study in a.study or STUDIES for case in STUDIES[study][2] for policy in a.policy.split(",")]
    rows = []
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        for row in pool.map(lambda job: study_case(a, *job), jobs):
            rows.append(row)
            print(f"{len(rows)} of {len(jobs)}: {row['case']}, {row['policy']}", file=sys.stderr, flush=True)
    return rows


# ---- tables ----

def cells(r):
    totals = [r["layered"], r["paper"]["total"], r["construct"], r["equal"]["total"], r["ours"]["total"], r["certified"]]
    return [f"{t / r['lower_bound']:.3f}" for t in totals] + [f"{r[s]['proposals']:,}" for s in SEARCHED]


def tables(rows, plots=None):
    """plots: folder of the figures, as seen from the page; None if there are none."""
    heads = ["case", "policy", "layered", "paper", "construct", "equal", "ours", "bound", "proposals: paper", "equal", "ours"]
    text = []
    for study in dict.fromkeys(r["study"] for r in rows):
        lines = [[r["case"], r["policy"].upper()] + cells(r) for r in rows if r["study"] == study]
        figure = f"![{STUDIES[study][0]}]({plots}/{study}.svg)\n\n" if plots else ""
        text.append(f"### {STUDIES[study][0]}\n\n" + figure + page.table(heads, lines))
    return "\n".join(text)


def reduction(r, search):
    return 100 * (r["layered"] - r[search]["total"]) / (r["layered"] - r["lower_bound"])


def summary(rows):
    """Mean reductions over the cases that leave something to gain; of the study of proposals, the one with the most."""
    lines = []
    for study in dict.fromkeys(r["study"] for r in rows):
        line = [STUDIES[study][0]]
        if study == "work":
            most = max(r["x"] for r in rows if r["study"] == study)
            rows = [r for r in rows if r["study"] != study or r["x"] == most]
            line = [f"{line[0]}: {most:,}"]
        for policy in POLICIES:
            open_cases = [r for r in rows if r["study"] == study and r["policy"] == policy and r["layered"] > r["lower_bound"]]
            line.append(" / ".join(f"{statistics.mean(reduction(r, s) for r in open_cases):.0f}" for s in SEARCHED) + " %" if open_cases else "-")
        lines.append(line)
    return page.table(["excess less than layered: paper / equal / ours"] + [p.upper() for p in POLICIES], lines)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--program", default=page.PROGRAM)
    p.add_argument("--study", choices=sorted(STUDIES), action="append", help="which ones (default all)")
    p.add_argument("--policy", default=",".join(POLICIES))
    p.add_argument("--work", type=int, default=100_000_000, help="connections the paper's search simulates per case (10^8)")
    p.add_argument("--most", type=int, default=50_000, help="most proposals of the paper's search (50,000)")
    p.add_argument("--rounds", type=int, default=40, help="rounds of this program's search (40)")
    p.add_argument("--jobs", type=int, default=1, help="cases at a time")
    p.add_argument("--json", help="file for all figures")
    p.add_argument("--from", dest="source", metavar="FILE.json", action="append", help="print these figures, run nothing; may be repeated")
    p.add_argument("--plots", metavar="DIR", help="draw the studies there, as SVG")
    p.add_argument("--results", metavar="PAGE", help="put all cases between the marks `studies` of this page")
    p.add_argument("--readme", metavar="PAGE", help="put the summary between the marks `studies-short` of this page")
    a = p.parse_args()
    rows = []
    for source in a.source or []:
        with open(source) as f:
            rows += json.load(f)
    if not a.source:
        rows = measure(a)
    if a.json:
        with open(a.json, "w") as f:
            json.dump(rows, f, indent=1)
    short = summary(rows)
    print(tables(rows) + "\n" + short)
    if a.plots:
        studies_plot.draw(rows, {s: STUDIES[s][:2] for s in STUDIES}, a.plots)
    if a.results:
        plots = os.path.relpath(a.plots, os.path.dirname(a.results) or ".") if a.plots else None
        page.embed(a.results, "studies", tables(rows, plots))
    if a.readme:
        page.embed(a.readme, "studies-short", short)


if __name__ == "__main__":
    main()
