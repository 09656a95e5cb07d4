#!/usr/bin/env bash
# The folders are the dependency order: core <- io <- optimizer; MPI in one place; the library neither prints nor exits.
set -u
cd "${IOA_SOURCE:?is set by CTest}" || exit 1
bad=0

report() { # RULE HITS
    [ -n "$2" ] || return 0
    printf 'FAILED: %s:\n%s\n' "$1" "$2"
    bad=1
}

sources() { # FOLDER...
    find "$@" -name '*.[chS]' -o -name '*.in'
}

library_sources() { # examples are programs of users
    sources core io | grep -v '^io/examples/'
}

# Lines of code that match a pattern: comments and strings are taken out first, line numbers stay.
code_hits() { # PATTERN FILE...
    local pattern=$1
    shift
    awk -v pattern="$pattern" '
        FNR == 1 { inside = 0 }
        {
            line = $0
            if (inside) {
                if ((at = index(line, "*/")) == 0) next
                line = substr(line, at + 2)
                inside = 0
            }
            gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
            while ((at = index(line, "/*")) > 0) {
                rest = substr(line, at + 2)
                if ((end = index(rest, "*/")) == 0) { line = substr(line, 1, at - 1); inside = 1; break }
                line = substr(line, 1, at - 1) " " substr(rest, end + 2)
            }
            sub(/\/\/.*/, "", line)
            if (line ~ pattern) print FILENAME ":" FNR ": " $0
        }' "$@"
}

include_hits() { # PATTERN FOLDER...
    local pattern=$1
    shift
    sources "$@" | xargs grep -nE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($pattern)"
}

report "core includes nothing of io and optimizer" "$(include_hits '(\.\./)*(io|optimizer)/' core)"
report "core includes neither HDF5 nor MPI, and no files" "$(include_hits '(hdf5|H5[A-Za-z]*|mpi|fcntl|unistd|sys/stat)\.h' core)"
report "io includes nothing of optimizer" "$(include_hits '(\.\./)*optimizer/' io)"
report "io knows no MPI" "$(include_hits 'mpi\.h' io)"
report "mpi.h is for optimizer/mpi" "$(sources optimizer | grep -v '^optimizer/mpi/' | xargs grep -nE 'include[[:space:]]*[<"]mpi\.h')"
report "mpi.h of optimizer/mpi is not reached from the search" "$(include_hits 'optimizer/(mpi|cli)/' optimizer/search optimizer/verify optimizer/result)"
# Rooms of a folder, lowest first: each includes those before it only.
rooms_upwards() { # FOLDER ROOM...
    local folder=$1 above
    shift
    while [ $# -gt 1 ]; do
        above=$(IFS='|'; shift; echo "$*")
        include_hits "$folder/($above)/" "$folder/$1"
        shift
    done
}

report "rooms of core include lower ones only" \
    "$(rooms_upwards core base model bounds kernel generate compile plan measure)"
report "rooms of io include lower ones only" "$(rooms_upwards io base h5 archive checkpoint import)"
report "rooms of the search include lower ones only" \
    "$(rooms_upwards optimizer/search base priced segment interval exact construct engine tempering)"
report "public headers include public and standard headers only" \
    "$(grep -nE '#[[:space:]]*include[[:space:]]*"' core/include/ioanneal/*.h io/include/ioanneal/*.h)"

call='(^|[^A-Za-z0-9_])(printf|fprintf|vprintf|vfprintf|puts|fputs|putchar|fputc|putc|perror|exit|_exit|_Exit|quick_exit|abort)[[:space:]]*\('
# io/h5/h5_rehearse.c ends a child process of its own, which is no exit of the library.
report "the library never prints, exits or aborts" "$(code_hits "$call" $(library_sources | grep -v h5_rehearse.c))"
report "the library does not use the standard streams" "$(code_hits '(^|[^A-Za-z0-9_])(stdout|stderr|stdin)([^A-Za-z0-9_]|$)' $(library_sources))"

allowed='optimizer core io jobs tests CMakeLists.txt CMakePresets.json README.md LICENSE'
extra=
if git rev-parse --is-inside-work-tree >/dev/null 2>&1 && [ "$(git rev-parse --show-toplevel 2>/dev/null)" = "$PWD" ]; then
    top=$(git ls-files | cut -d/ -f1 | sort -u)
else
    top=$(ls)
fi
for name in $top; do
    case $name in .*) continue ;; esac
    case " $allowed " in *" $name "*) ;; *) extra="$extra $name" ;; esac
done
report "the top level holds nothing but: $allowed" "$extra"

long=$(sources core io optimizer | xargs wc -l | awk '$2 != "total" && $1 > 700 { print $2 ": " $1 " lines" }')
report "no source file is longer than 700 lines" "$long"

if command -v ldd >/dev/null && [ -e "${IOA_LIBRARY:-}" ]; then
    report "libioanneal links no MPI" "$(ldd "$IOA_LIBRARY" | grep -iE 'libmpi|libopen-(pal|rte)|libpmix|libmpich')"
else
    echo "part skipped: ldd or the library is missing"
fi
if command -v nm >/dev/null && [ -e "${IOA_LIBRARY:-}" ]; then
    # Sanitizers add symbols of their own.
    report "libioanneal exports ioa_ names only" \
        "$(nm -D --defined-only "$IOA_LIBRARY" | awk '{ print $NF }' | grep -vE '^(ioa_|IOANNEAL_[0-9.]+$|__(asan|ubsan|odr|lsan|sanitizer)|__gcov|__llvm|mangle_path|_init$|_fini$)')"
fi
exit $bad
