# bash completion for ioanneal. Commands and options are asked of the program itself, so the two never differ.

_ioanneal_words() { # PROGRAM [COMMAND]: what may stand next
    if [ $# -eq 1 ]; then
        "$1" --help 2>/dev/null | awk '/^  [a-z]/ { print $1 } END { print "--help"; print "--version" }'
    else
        "$1" "$2" --help 2>/dev/null | awk '/^ +(-[a-zA-Z], )?--[a-z]/ {
            for (i = 1; i <= 2; i++) if (match($i, /^--[a-z-]+/)) { print substr($i, 1, RLENGTH); break } }'
    fi
}

_ioanneal_values() { # OPTION: its values, or nothing for files and numbers
    case $1 in
    --policy) echo lru rr min ;;
    --method) echo tempering anneal construct paper ;;
    --layout) echo out-in in-out ;;
    --format) echo mtx smtx tsv keras npy npz safetensors onnx ;;
    --isa) echo auto portable avx2 avx512 ;;
    --machine) echo auto avx512 avx2 neon ;;
    --order) echo layered blocks twins cascade greedy ;;
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
    values=$(_ioanneal_values "$before")
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
