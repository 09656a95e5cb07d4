#!/usr/bin/env python3
"""The paper's studies repeated: I/Os of random perceptrons against memory, density, width and depth, under LRU, RR and
MIN, for the layered order, the paper's own search, and this program's; and networks of compact growth against memory.

usage: studies.py [--program ioanneal] [--ranks 3] [--seconds 10] [--study memory|density|width|depth|growth]

Prints Markdown tables of I/O over the lower bound (total / LB, 1 is optimal). Needs only the standard library."""
import argparse, json, os, subprocess, sys, tempfile

POLICIES = ("lru", "rr", "min")


def call(command):
    env = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return json.loads(done.stdout)


def ratios(a, net, memory, policy, folder):
    """total / LB of the layered order, of the paper's search and of ours."""
    out = os.path.join(folder, "out.h5")
    base = ["optimize", net, "-o", out, "--memory", str(memory), "--policy", policy, "--seconds", str(a.seconds),
            "--timing", "0", "--quiet", "--json"]
    launch = [a.mpirun, "--oversubscribe", "-n", str(a.ranks), a.program]
    paper = call(launch + base + ["--method", "paper"])["schedules"][0]
    ours = call(launch + base)["schedules"][0]
    return [x / ours["lower_bound"] for x in (ours["baseline_total"], paper["total"], ours["total"])]


def table(a, title, cases, folder):
    print(f"\n### {title}\n\n| case | " + " | ".join(f"{p}: layered | {p}: paper | {p}: ours" for p in POLICIES) + " |")
    print("|---|" + "---|" * 9)
    for name, options, memory in cases:
        net = os.path.join(folder, "net.h5")
        call([a.program, "generate"] + options + ["-o", net, "--json"])
        cells = [f"{x:.3f}" for p in POLICIES for x in ratios(a, net, memory, p, folder)]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def mlp(width, depth, density):
    return ["mlp", "--widths", ",".join([str(width)] * depth), "--density", str(density), "--seed", "11"]


STUDIES = {
    "memory": ("against memory: 4 layers of 500, density 10 %",
               [(f"M = {m}", mlp(500, 4, 0.1), m) for m in (10, 32, 100, 316, 1000)]),
    "density": ("against density: 4 layers of 500, M = 100",
                [(f"{100 * d:g} %", mlp(500, 4, d), 100) for d in (0.005, 0.02, 0.05, 0.2, 0.5)]),
    "width": ("against width: 4 layers, density 10 %, M = 100", [(str(w), mlp(w, 4, 0.1), 100) for w in (100, 200, 400, 800)]),
    "depth": ("against depth: layers of 200, density 10 %, M = 100",
              [(str(n), mlp(200, n, 0.1), 100) for n in (2, 4, 8, 16)]),
    "growth": ("compact growth for M_g = 100, fan-in 10: layered is optimal from M = M_g on",
               [(f"M = {m}", ["compact-growth", "--neurons", "2000", "--inputs", "100", "--memory", "100", "--fan-in",
                              "10", "--seed", "11"], m) for m in (25, 50, 75, 90, 100, 120)]),
}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--program", default=os.path.join(os.path.dirname(__file__), "../../.build/release/bin/ioanneal"))
    p.add_argument("--mpirun", default="mpirun")
    p.add_argument("--ranks", type=int, default=3)
    p.add_argument("--seconds", type=float, default=10)
    p.add_argument("--study", choices=sorted(STUDIES), action="append")
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in a.study or STUDIES:
            table(a, STUDIES[name][0], STUDIES[name][1], folder)


if __name__ == "__main__":
    main()
