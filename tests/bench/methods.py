#!/usr/bin/env python3
"""All methods for equal time on given networks: excess over the lower bound, and what each did with its time.

usage: methods.py [--program ioanneal] [--ranks 3] [--seconds 60] [--memory 32,100] [--seed 1] NET.h5 ...

Prints a Markdown table. Each run is `mpirun -n RANKS ioanneal optimize`, construction included in its seconds; nothing
else should run on the machine. Needs only the standard library."""
import argparse, json, os, subprocess, sys, tempfile, time

METHODS = [  # heading, options
    ("paper", ["--method", "paper"]),
    ("construct", ["--method", "construct"]),
    ("interval", ["--engine", "interval"]),
    ("priced", ["--engine", "priced"]),
    ("anneal", ["--method", "anneal"]),
    ("tempering", ["--method", "tempering"]),
]


def run(a, net, memory, options, out):
    command = [a.mpirun, "--oversubscribe", "-n", str(a.ranks), a.program, "optimize", net, "-o", out,
               "--memory", str(memory), "--seconds", str(a.seconds), "--seed", str(a.seed), "--timing", "0",
               "--quiet", "--json"] + options
    env = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    began = time.monotonic()
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    result = json.loads(done.stdout)["schedules"][0]
    if not result["verified"]:
        sys.exit(f"{net}: {options}: not verified")
    result["wall"] = time.monotonic() - began
    return result


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("nets", nargs="+")
    p.add_argument("--program", default=os.path.join(os.path.dirname(__file__), "../../.build/release/bin/ioanneal"))
    p.add_argument("--mpirun", default="mpirun")
    p.add_argument("--ranks", type=int, default=3)
    p.add_argument("--seconds", type=float, default=60)
    p.add_argument("--memory", default="100,32")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--methods", default=",".join(name for name, _ in METHODS))
    a = p.parse_args()
    methods = [m for m in METHODS if m[0] in a.methods.split(",")]
    print("| network | M | layered | " + " | ".join(name for name, _ in methods) + " | against layered | proposals/s |")
    print("|---|---|---|" + "---|" * (len(methods) + 2))
    with tempfile.TemporaryDirectory() as folder:
        for memory in a.memory.split(","):
            for net in a.nets:
                results = [run(a, net, memory, o, os.path.join(folder, "out.h5")) for _, o in methods]
                layered = results[0]["baseline_total"] - results[0]["lower_bound"]
                best = results[-1]["excess"]
                rate = results[-1]["proposals"] / a.seconds
                cells = [f"{r['excess']:,}" for r in results]
                name = os.path.splitext(os.path.basename(net))[0]
                gain = f"-{100 * (layered - best) / layered:.1f} %" if layered else "0"
                print(f"| {name} | {memory} | {layered:,} | " + " | ".join(cells) + f" | {gain} | {rate:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
