# bash completion for ioanneal. Commands and options are asked of the program itself, so the two never differ.

_ioanneal_words() { # PROGRAM [COMMAND]: what may stand next
    if [ $# -eq 1 ]; then
        "$1" --help 2>/dev/null | awk '/^  [a-z]/ { print $1 } END { print "--help"; print "--version" }'
    else
        "$1" "$2" --help 2>/dev/null | awk '/^ +(-[a-zA-Z], )?--[a-z]/ {
            for (i = 1; i <= 2; i++) if (match($i, /^--[a-z-]+/)) { print substr($i, 1, RLENGTH); break } }'
    fi
}

_ioanneal_section() { # PROGRAM COMMAND SECTION: the names --help lists there
    "$1" "$2" --help 2>/dev/null | awk -v section="$3:" '/^[a-z]/ { inside = $0 == section; next } inside && /^  [a-z]/ { print $1 }'
}

_ioanneal_values() { # PROGRAM COMMAND OPTION: the option's values, or nothing for files and numbers
    case $3 in
    --method | --engine | --order | --format) _ioanneal_section "$1" "$2" "${3#--}s" ;;
    --policy) echo lru rr min ;;
    --adapt) echo shares windows both none ;;
    --layout) echo out-in in-out ;;
    --isa) if [ "$2" = compile ]; then echo avx512 avx2 neon; else echo auto portable avx2 avx512; fi ;;
    --machine) echo auto avx512 avx2 neon ;;
    --activation | --last)
        echo identity relu gelu gelu_tanh sigmoid tanh silu leaky_relu clipped_relu: step sin cos gaussian abs negate square ;;
    esac
}

_ioanneal() {
    local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} values
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_ioanneal_words "$program")" -- "$word")
        return
    fi
    values=$(_ioanneal_values "$program" "${COMP_WORDS[1]}" "$before")
    if [ -n "$values" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$values" -- "$word")
    elif [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_ioanneal_words "$program" "${COMP_WORDS[1]}")" -- "$word")
    elif [ "${COMP_WORDS[1]}" = generate ] && [ "$COMP_CWORD" -eq 2 ]; then
        values=$("$program" generate --help 2>/dev/null | awk '/^usage:/ { gsub(/\|/, " ", $4); print $4 }')
        mapfile -t COMPREPLY < <(compgen -W "$values" -- "$word")
    fi # else files, by the option below
}

complete -o default -F _ioanneal ioanneal
