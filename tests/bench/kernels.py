#!/usr/bin/env python3
"""Times of inference over networks, densities and batches: the table of the README.

usage: kernels.py [--program ioanneal] [--work DIR] [--search 15] [--seconds 5] [--batches 1,16,128,1024] [NET.h5 ...]

Generates FFNs of BERT's shape (1024-4096-1024) at 0.1 .. 20 % and perceptrons 4 x 500 at 1 and 10 %, adds the networks given,
searches an order for the registers of this machine for each (--search seconds, two workers and the verifier; archives stay in
--work and are taken from there again), and measures every one at every batch with one thread. Prints a Markdown table, and the
geometric mean and the least of the speedups. A program built with MKL gives the column against it. About (--search + batches x
--seconds) per network in all; nothing else should run on the machine. Needs only the standard library."""
import argparse, json, math, os, subprocess, sys, time

GENERATED = [("bert-ffn-%g" % (100 * d), "1024,4096,1024", d) for d in (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)]
GENERATED += [("mlp-500x4-%g" % (100 * d), "500,500,500,500", d) for d in (0.01, 0.1)]


def call(command):
    env = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return done.stdout


def networks(a):
    for name, widths, density in GENERATED if a.generated else []:
        path = os.path.join(a.work, name + ".h5")
        if not os.path.exists(path):
            call([a.program, "generate", "mlp", "--widths", widths, "--density", str(density), "--seed", "1", "-o", path, "-q"])
        yield name, path
    for path in a.networks:
        yield os.path.splitext(os.path.basename(path))[0], path


def schedule(a, name, path):
    archive = os.path.join(a.work, name + ".schedule.h5")
    if not os.path.exists(archive):
        call([a.mpirun, "--oversubscribe", "-n", "3", a.program, "optimize", path, "-o", archive, "--machine", "auto",
              "--seconds", str(a.search), "--timing", "0", "-q"])
    return archive


def seconds(a, path):
    """More for large networks, whose candidates take longer to make and to run."""
    connections = json.loads(call([a.program, "info", path, "--json"]))["connections"]
    return a.seconds * min(3.0, 1.0 + connections / 500000)


def ratio(r):
    return "-" if r is None else "%.2f [%.2f, %.2f]" % (r["median"], r["q1"], r["q3"])


def summary(rows, key, batches):
    values = [r[key]["median"] for r in rows if r[key] and r["batch"] in batches]
    if not values:
        return "-"
    return "geometric mean %.2f, least %.2f of %d" % (math.exp(sum(map(math.log, values)) / len(values)), min(values), len(values))


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--program", default="ioanneal")
    p.add_argument("--mpirun", default="mpirun")
    p.add_argument("--work", default="kernels-bench", help="folder for networks and archives (default kernels-bench)")
    p.add_argument("--search", type=float, default=15, help="seconds of search per network (default 15)")
    p.add_argument("--seconds", type=float, default=5, help="seconds per measurement, up to three times that for large networks (5)")
    p.add_argument("--batches", default="1,16,128,1024")
    p.add_argument("--given-only", dest="generated", action="store_false", help="no generated networks")
    p.add_argument("--json", help="file for all figures")
    p.add_argument("networks", nargs="*", metavar="NET.h5")
    a = p.parse_args()
    a.work = os.path.abspath(a.work)
    os.makedirs(a.work, exist_ok=True)
    batches = [int(b) for b in a.batches.split(",")]
    rows, began = [], time.monotonic()
    print("| network | B | plan | GF/s | limit | the order's share | the kernel's share | against CSR | against MKL |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for name, path in networks(a):
        archive, limit = schedule(a, name, path), seconds(a, path)
        for batch in batches:
            r = json.loads(call([a.program, "bench", path, "--schedule", archive, "--batch", str(batch), "--seconds",
                                 str(limit), "--json"]))
            r["network"] = name
            rows.append(r)
            print("| %s | %d | %s | %.1f | %s %.0f %% | %s | %s | %s | %s |" % (
                name, batch, r["kernel"], r["gflops"], r["limit"], 100 * r["limit_share"], ratio(r["speedup_order"]),
                ratio(r["speedup_kernel"]), ratio(r["speedup_vs_csr"]), ratio(r["speedup_vs_mkl"])), flush=True)
    wide = [b for b in batches if b >= 16]
    print()
    for key, text in (("speedup_order", "the order's share"), ("speedup_kernel", "the kernel's share"),
                      ("speedup_vs_csr", "against CSR"), ("speedup_vs_mkl", "against MKL")):
        print("%s: %s; B >= 16: %s" % (text, summary(rows, key, batches), summary(rows, key, wide)))
    shares = [r["limit_share"] for r in rows if r["batch"] >= 16]
    if shares:
        print("share of the limit that binds, B >= 16: %.0f to %.0f %%" % (100 * min(shares), 100 * max(shares)))
    print("outputs: largest relative error %.2g" % max(r["max_rel_error"] for r in rows))
    print("%.0f seconds in all, on %s" % (time.monotonic() - began, rows[0]["cpu"]))
    if a.json:
        with open(a.json, "w") as f:
            json.dump(rows, f, indent=1)


if __name__ == "__main__":
    main()
