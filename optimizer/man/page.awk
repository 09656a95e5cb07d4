# Turns the text of "ioanneal [COMMAND] --help" into a man page, so that the two never differ.
# Variables: command ("" for the program itself), version.
function quoted(text) { # roff takes backslashes, and dots and quotes at the start of a line, for its own
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    if (text ~ /^[.']/) text = "\\&" text
    return text
}
function heading(text) { if (section != text) print ".SH " text; section = text }
function trimmed(text) { sub(/^ +/, "", text); sub(/ +$/, "", text); return text }

NR == 1 {
    name = command == "" ? "ioanneal" : "ioanneal-" command
    summary = $0
    sub(/^[^:]*: */, "", summary)
    printf ".TH %s 1 \"\" \"ioanneal %s\" \"User commands\"\n", toupper(quoted(name)), version
    printf ".SH NAME\n%s \\- %s\n", quoted(name), quoted(summary)
    next
}
/^usage: / {
    heading("SYNOPSIS")
    line = trimmed(substr($0, 8))
    sub(/  +'.*$/, "", line)
    print quoted(line)
    next
}
/^options:|^common options:/ { heading($0 ~ /^common/ ? "COMMON OPTIONS" : "OPTIONS"); next }
/^[a-z]+:$/ && !/^(options|examples|usage):/ { heading(toupper(substr($0, 1, length($0) - 1))); entries = 1; next }
/^examples:/ { entries = 0; heading("EXAMPLES"); print ".nf"; example = 1; next }
/^exit codes:/ { heading("EXIT STATUS"); print quoted(trimmed(substr($0, 12))); next }
/^ *$/ { next }
entries && /^  [a-z]/ { # a name and its text
    name = $1
    printf ".TP\n.B %s\n%s\n", quoted(name), quoted(trimmed(substr($0, 3 + length(name))))
    next
}
example { print quoted(trimmed($0)); next }
command == "" && /^  [a-z]/ { # the list of commands
    heading("COMMANDS")
    printf ".TP\n.BR ioanneal\\-%s (1)\n%s\n", $1, quoted(trimmed(substr($0, 3 + length($1))))
    next
}
/^ +-/ {
    if (section != "COMMON OPTIONS") heading("OPTIONS")
    line = trimmed($0)
    at = match(line, /  +/)
    if (!at) { # the option is as long as its column
        at = length(line) + 1
        if (match(line, /^(-[a-zA-Z], )?--[a-z-]+ [^ ]+ /)) { at = RLENGTH; RLENGTH = 1 }
    }
    printf ".TP\n.B %s\n%s\n", quoted(trimmed(substr(line, 1, at - 1))), quoted(trimmed(substr(line, at)))
    next
}
{ print quoted(trimmed($0)) }

END {
    if (example) print ".fi"
    heading("SEE ALSO")
    print command == "" ? ".BR libioanneal (3)" : ".BR ioanneal (1)"
}
