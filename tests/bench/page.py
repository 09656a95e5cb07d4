"""What the benches share: calls of the program, and Markdown that goes into a page between two marks.

A page holds `<!-- NAME -->` and `<!-- /NAME -->`, each on a line of its own; what is between them belongs to the bench of
that name, which replaces it. A page without the marks is refused, so that no figures end up where nobody looks."""
import json, os, subprocess, sys

ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_ess_singleton_isolated="1")
PROGRAM = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.build/release/bin/ioanneal"))


def call(command):
    """Runs a command and gives its JSON; ends the bench with what the command had to say if it fails."""
    command = [str(word) for word in command]
    done = subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return json.loads(done.stdout) if done.stdout.strip() else None


def stem(path):
    return os.path.splitext(os.path.basename(path))[0]


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]) + "\n"


def embed(path, name, text):
    """Puts text between the marks of a page, set off by empty lines. The page is replaced as a whole."""
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
    with open(path, encoding="utf-8") as f:
        page = f.read()
    if page.count(begin) != 1 or page.count(end) != 1 or page.index(begin) > page.index(end):
        sys.exit(f"{path}: the lines '{begin.strip()}' and '{end.strip()}' are wanted, once each and in this order")
    page = page[:page.index(begin) + len(begin)] + "\n" + text.strip("\n") + "\n\n" + page[page.index(end):]
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(page)
    os.replace(path + ".new", path)
