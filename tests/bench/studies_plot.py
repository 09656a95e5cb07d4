"""The figures of studies.py: one SVG per study, a panel per policy, drawn by gnuplot."""
import os, re, subprocess, sys

POLICIES = ("lru", "rr", "min")
LINES = [  # heading, what of a row, colour, width, dashes, points; layered is wide, as the paper's often lies upon it
    ("layered", lambda r: r["layered"], "#b0b0b0", 4, 1, 0),
    ("paper", lambda r: r["paper"]["total"], "#d55e00", 1.6, 1, 5),
    ("construct", lambda r: r["construct"], "#56b4e9", 1.6, 2, 6),
    ("ours", lambda r: r["ours"]["total"], "#0072b2", 1.6, 1, 9),
    ("proven bound", lambda r: r["certified"], "#000000", 1.6, 3, 0),
]
EQUAL = ("ours, as many proposals", lambda r: r["equal"]["total"], "#0072b2", 1.6, 1, 9)
WORK = LINES[:2] + [EQUAL] + LINES[4:]
GROWN_COLOURS = ("#0072b2", "#009e73", "#d55e00", "#cc79a7", "#707070", "#56b4e9")
LOGARITHMIC = ("memory", "density", "width", "depth", "work")


def ratios(rows, value):
    return [(r["x"], value(r) / r["lower_bound"]) for r in rows]


def series(study, rows):
    """[(heading, points, style)] of one panel."""
    def style(colour, width, dash, point):
        kind = f"linespoints pt {point} ps 0.6" if point else "lines"
        return f'with {kind} lw {width} dt {dash} lc rgb "{colour}"'
    if study != "growth":
        return [(name, ratios(rows, value), style(*look)) for name, value, *look in (WORK if study == "work" else LINES)]
    found = []
    for i, memory in enumerate(sorted({r["grown_for"] for r in rows})):
        own, colour = [r for r in rows if r["grown_for"] == memory], GROWN_COLOURS[i % len(GROWN_COLOURS)]
        found.append((f"layered, M_g = {memory}", ratios(own, LINES[0][1]), style(colour, 1.6, 2, 0)))
        found.append((f"ours, M_g = {memory}", ratios(own, LINES[3][1]), style(colour, 1.6, 1, 7)))
    return found


def block(name, points):
    return f"${name} << EOD\n" + "".join(f"{x:g} {y:.5f}\n" for x, y in points) + "EOD\n"


def script(study, title, axis, rows, path, terminal):
    """Panels side by side with one scale, and beneath them a plot of nothing that has the key."""
    panels = [p for p in POLICIES if any(r["policy"] == p for r in rows)]
    ticks = sorted({r["x"] for r in rows})
    data, plots, keys, most = "", [], {}, 1.0
    for p in panels:
        parts = []
        for k, (name, points, style) in enumerate(series(study, [r for r in rows if r["policy"] == p])):
            data += block(f"{p}{k}", points)
            most = max([most] + [y for _, y in points])
            parts.append(f"${p}{k} {style}")
            keys[name] = f'NaN {style} title "{name}"'
        plots.append(f'set title "{p.upper()}" offset 0,-0.5\nplot ' + ", ".join(parts) + "\nunset ylabel\n")
    head = [f"set terminal {terminal}", f'set output "{path}"', "set termoption noenhanced",
            f'set multiplot layout 1,{len(panels)} title "{title}" margins 0.07,0.965,{0.32 if study == "growth" else 0.27},0.83 spacing 0.065,0',
            f'set xlabel "{axis}" offset 0,0.5', 'set ylabel "I/O over compulsory" offset 1,0',
            f"set yrange [1:{1 + 1.05 * (most - 1):.3f}]", 'set border 3', "set tics nomirror",
            "unset key"]
    if study in LOGARITHMIC:
        head += ["set logscale x", "set xrange [%g:%g]" % (ticks[0] / 1.15, ticks[-1] * 1.15)]
    if study != "growth":
        head.append("set xtics (" + ", ".join(f'"{x:,g}" {x:g}' for x in ticks) + ")")
    foot = ["unset title", "unset xlabel", "unset border", "unset tics", "unset logscale", "set lmargin at screen 0.02",
            "set rmargin at screen 0.98", "set bmargin at screen 0.01", "set tmargin at screen 0.15", "set xrange [0:1]", "set key inside center center horizontal samplen 2 font ',10'"]
    return data + "\n".join(head) + "\n" + "".join(plots) + "\n".join(foot) + "\nplot " + ", ".join(keys.values()) + "\nunset multiplot\n"


def tidy(path):
    """Takes out what gnuplot writes and nobody sees."""
    with open(path) as f:
        text = f.read()
    text = re.sub(r"<title>Gnuplot</title>\n<desc>.*</desc>\n", "", text)
    before = None
    while text != before:
        before, text = text, re.sub(r"<g [^>]*>\s*</g>\s*", "", text)
    with open(path, "w") as f:
        f.write(re.sub(r"[ \t]*\n[\s]*", "\n", text))


def draw(rows, titles, folder, terminal="svg size 960,360 font 'sans,11' background rgb 'white'", ending="svg"):
    """titles: {study: (title, x axis)}. Draws what there are rows of."""
    os.makedirs(folder, exist_ok=True)
    for study in dict.fromkeys(r["study"] for r in rows):
        path = os.path.join(folder, f"{study}.{ending}")
        text = script(study, *titles[study], [r for r in rows if r["study"] == study], path, terminal)
        try:
            done = subprocess.run(["gnuplot"], input=text, stderr=subprocess.PIPE, text=True)
        except FileNotFoundError:
            sys.exit("plots are drawn by gnuplot, which is not installed (Debian: gnuplot-nox)")
        if done.returncode or done.stderr:
            sys.exit(f"{study}: {done.stderr}")
        if ending == "svg":
            tidy(path)
