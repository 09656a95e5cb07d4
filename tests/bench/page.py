"""What the benches share: calls of the program, and Markdown that goes into a page between two marks.

A page holds `<!-- NAME -->` and `<!-- /NAME -->`, each on a line of its own; what is between them belongs to the bench of
that name, which replaces it. A page without the marks is refused, so that no figures end up where nobody looks."""
import json, os, subprocess, sys, tempfile

ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_ess_singleton_isolated="1")
PROGRAM = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.build/release/bin/ioanneal"))


def call(command):
    """Runs a command and gives its JSON; ends the bench with what the command had to say if it fails."""
    return timed_call(command)[0]


def timed_call(command):
    """The same, and the seconds of processor time it took."""
    command = [str(word) for word in command]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(command, env=ENVIRONMENT, stdout=out, stderr=err)
        _, state, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(state)
        out.seek(0)
        err.seek(0)
        if process.returncode:
            sys.exit(f"{' '.join(command)}\n{err.read()}")
        text = out.read()
    return json.loads(text) if text.strip() else None, used.ru_utime + used.ru_stime


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
