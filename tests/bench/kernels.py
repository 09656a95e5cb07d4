#!/usr/bin/env python3
"""Times of inference over networks, densities and batches.

usage: kernels.py [--program ioanneal] [--work DIR] [--search 15] [--seconds 5] [--batches 1,16,128,1024] [NET.h5 ...]
       kernels.py --from FILE.json

Generates FFNs of BERT's shape (1024-4096-1024) at 0.1 .. 20 % and perceptrons 4 x 500 at 1 and 10 %, adds the networks given,
searches an order for the registers of this machine for each (--search seconds, two workers and the verifier; archives stay in
--work and are taken from there again), and measures every one at every batch with one thread. Prints two tables in Markdown:
every case, and per batch the geometric mean and the least of the speedups. --results PAGE and --readme PAGE put the one and the
other between the marks `kernels` and `kernels-short` of a page. A program built with MKL gives the columns against it. --json
keeps all figures, --from prints those again without measuring. About (--search + batches x --seconds) per network in all;
nothing else should run on the machine. Needs only the standard library."""
import argparse, json, math, os, statistics, sys, time

import page

GENERATED = [("bert-ffn-%g" % (100 * d), "1024,4096,1024", d) for d in (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)]
GENERATED += [("mlp-500x4-%g" % (100 * d), "500,500,500,500", d) for d in (0.01, 0.1)]
AMPLE = 0.6   # share of the limit from which on a plan counts as close to it
CLEAR = 1.02  # the first quartile above which the order has a clear gain, as `bench` sees it


def networks(a):
    for name, widths, density in GENERATED if a.generated else []:
        path = os.path.join(a.work, name + ".h5")
        if not os.path.exists(path):
            page.call([a.program, "generate", "mlp", "--widths", widths, "--density", density, "--seed", 1, "-o", path, "-q"])
        yield name, path
    for path in a.networks:
        yield page.stem(path), path


def schedule(a, name, path):
    archive = os.path.join(a.work, name + ".schedule.h5")
    if not os.path.exists(archive):
        page.call([a.mpirun, "--oversubscribe", "-n", 3, a.program, "optimize", path, "-o", archive, "--machine", "auto",
                   "--seconds", a.search, "--timing", 0, "-q"])
    return archive


def measure(a, batches):
    """One dictionary per network and batch: what `bench --json` prints, and the network."""
    os.makedirs(a.work, exist_ok=True)
    for name, path in networks(a):
        archive, connections = schedule(a, name, path), page.call([a.program, "info", path, "--json"])["connections"]
        seconds = a.seconds * min(3.0, 1.0 + connections / 500000)  # candidates of large networks take longer to make and to run
        for batch in batches:
            r = page.call([a.program, "bench", path, "--schedule", archive, "--batch", batch, "--seconds", seconds, "--json"])
            yield dict(r, network=name, connections=connections)


# ---- tables ----

def ratio(r):
    return "-" if r is None else "%.2f [%.2f, %.2f]" % (r["median"], r["q1"], r["q3"])


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


HEADS = ["network", "B", "plan", "GF/s", "limit", "the order's share", "the kernel's share", "against CSR", "against MKL"]


def line(r):
    return [r["network"], r["batch"], r["kernel"], "%.1f" % r["gflops"], "%s %.0f %%" % (r["limit"], 100 * r["limit_share"]),
            ratio(r["speedup_order"]), ratio(r["speedup_kernel"]), ratio(r["speedup_vs_csr"]), ratio(r["speedup_vs_mkl"])]


def mean_and_least(rows, key):
    values = [r[key]["median"] for r in rows if r[key]]
    return "%.2f, least %.2f" % (geometric_mean(values), min(values)) if values else "-"


def condensed_line(text, rows):
    shares = [100 * r["limit_share"] for r in rows]
    gains = sum(r["speedup_order"]["q1"] > CLEAR for r in rows)
    return ([text, f"{gains} of {len(rows)}"] + [mean_and_least(rows, k) for k in ("speedup_order", "speedup_kernel", "speedup_vs_csr", "speedup_vs_mkl")] +
            ["median %.0f %%, %.0f to %.0f" % (statistics.median(shares), min(shares), max(shares))])


def condensed(rows):
    """One line per batch, and one for all batches that fill a vector."""
    batches = sorted({r["batch"] for r in rows})
    wide = [r for r in rows if r["batch"] >= 16]
    lines = [condensed_line(b, [r for r in rows if r["batch"] == b]) for b in batches]
    if wide and len({r["batch"] for r in wide}) > 1:
        lines.append(condensed_line("16 and more", wide))
    return page.table(["B", "clear gain by the order", "the order's share", "the kernel's share", "against CSR", "against MKL", "share of the limit"], lines)


def limits(rows):
    """How close to what binds, for batches that fill a vector."""
    text = []
    wide = [r for r in rows if r["batch"] >= 16]
    for name in sorted({r["limit"] for r in wide}):
        shares = [r["limit_share"] for r in wide if r["limit"] == name]
        text.append([name, len(shares), "%.0f %%" % (100 * statistics.median(shares)),
                     "%.0f to %.0f %%" % (100 * min(shares), 100 * max(shares)), sum(s >= AMPLE for s in shares)])
    return page.table(["limit that binds, B >= 16", "cases", "median share", "range", "at %.0f %% or more" % (100 * AMPLE)], text)


def extent(values):
    values = ["%.0f" % v for v in values]
    ends = (min(values, key=float), max(values, key=float)) if values else ("-", "-")
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def percent(shares):
    text = extent(100 * s for s in shares)
    return text if text == "-" else text + " %"


def families(rows):
    """Which kinds of plans win, and how close they come to multiply-adds that read memory."""
    wide, lines = [r for r in rows if r["batch"] >= 16], []
    kind = lambda r: r["kernel"].split("/")[1]
    for name in sorted({kind(r) for r in wide}):
        own = [r for r in wide if kind(r) == name]
        computing = [r["fma_memory_computing"] or r["fma_memory_share"] for r in own]
        reached = [c / r["fma_memory_reach"] for c, r in zip(computing, own) if r["fma_memory_reach"]]
        lines.append([name, len(own), extent(r["executed_gflops"] for r in own), percent(r["fma_memory_share"] for r in own),
                      percent(computing), percent(reached)])
    return page.table(["fastest plan, B >= 16", "cases", "GF/s executed", "of multiply-adds with an operand from L1",
                       "packing aside", "of those that loads of values leave"], lines)


def compiled(rows):
    """Compiled code against its yardstick, case by case."""
    own = [r for r in rows if r["batch"] >= 16 and r["fma_memory_reach"]]
    return page.table(["B", "compiled code of", "GF/s executed", "of multiply-adds with an operand from L1", "packing aside",
                       "within reach", "of that"],
                      [[r["batch"], r["network"], "%.0f" % r["executed_gflops"], percent([r["fma_memory_share"]]),
                        percent([r["fma_memory_computing"]]), percent([r["fma_memory_reach"]]),
                        percent([r["fma_memory_computing"] / r["fma_memory_reach"]])] for r in own])


def facts(rows):
    return "On %s, one thread; the largest relative error of an output against float64 is %.1g." % (
        rows[0]["cpu"], max(r["max_rel_error"] for r in rows))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--program", default=page.PROGRAM)
    p.add_argument("--mpirun", default="mpirun")
    p.add_argument("--work", default="kernels-bench", help="folder for networks and archives (default kernels-bench)")
    p.add_argument("--search", type=float, default=15, help="seconds of search per network (default 15)")
    p.add_argument("--seconds", type=float, default=5, help="seconds per measurement, up to three times that for large networks (5)")
    p.add_argument("--batches", default="1,16,128,1024")
    p.add_argument("--given-only", dest="generated", action="store_false", help="no generated networks")
    p.add_argument("--json", help="file for all figures")
    p.add_argument("--from", dest="source", metavar="FILE.json", help="print these figures, measure nothing")
    p.add_argument("--results", metavar="PAGE", help="put every case between the marks `kernels` of this page")
    p.add_argument("--readme", metavar="PAGE", help="put the condensed table between the marks `kernels-short` of this page")
    p.add_argument("networks", nargs="*", metavar="NET.h5")
    a = p.parse_args()
    a.work = os.path.abspath(a.work)
    rows, began = [], time.monotonic()
    if a.source:
        with open(a.source) as f:
            rows = json.load(f)
    else:
        for r in measure(a, [int(b) for b in a.batches.split(",")]):
            rows.append(r)
            print(*line(r), sep="  ", file=sys.stderr)
        print("%.0f seconds in all" % (time.monotonic() - began), file=sys.stderr)
    if a.json:
        with open(a.json, "w") as f:
            json.dump(rows, f, indent=1)
    cases, short = page.table(HEADS, map(line, rows)), condensed(rows)
    long = "\n".join([facts(rows) + "\n", cases, limits(rows), families(rows), compiled(rows)])
    print(long + "\n" + short)
    if a.results:
        page.embed(a.results, "kernels", long)
    if a.readme:
        page.embed(a.readme, "kernels-short", short)


if __name__ == "__main__":
    main()
