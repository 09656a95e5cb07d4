#!/usr/bin/env bash
# Installs to a scratch prefix and builds an outside program against it, with find_package and with pkg-config.
. "$IOA_SUPPORT/support.sh"

if [ -n "${IOA_SANITIZE:-}" ]; then skip "an outside program without sanitizers cannot load a library built with them"; fi
prefix=$scratch/prefix
expect_exit 0 "$IOA_CMAKE" --install "$IOA_BINARY" --prefix "$prefix"
library=$(find "$prefix" -name 'libioanneal.so' -print)
[ -n "$library" ] || fail "libioanneal.so is not installed"
libdir=$(dirname "$library")
for file in "$prefix/bin/ioanneal" "$libdir/pkgconfig/ioanneal.pc" "$libdir/cmake/ioanneal/ioannealConfig.cmake" \
    "$libdir/cmake/ioanneal/ioannealConfigVersion.cmake" "$libdir/cmake/ioanneal/ioannealTargets.cmake" \
    "$prefix/share/man/man3/libioanneal.3" "$prefix/share/man/man1/ioanneal-optimize.1"; do
    [ -e "$file" ] || fail "not installed: $file"
done

# The installed headers are the public ones, each compiles alone, as C and as C++, and what they declare is exported.
cc=${IOA_CC:-cc}
exported=$(nm -D --defined-only "$library" | awk '{ print $NF }' | sed 's/@.*//')
if nm -D --defined-only "$library" | grep -q ' IOANNEAL_0\.1$'; then # linkers that know versions
    bare=$(nm -D --defined-only "$library" | awk '$NF ~ /^ioa_/ && $NF !~ /@@IOANNEAL_[0-9.]+$/ { print $NF }')
    [ -z "$bare" ] || fail "exported without a version: $bare"
fi
declared=
for header in "$IOA_SOURCE"/core/include/ioanneal/*.h "$IOA_SOURCE"/io/include/ioanneal/*.h; do
    name=$(basename "$header")
    [ -e "$prefix/include/ioanneal/$name" ] || fail "not installed: ioanneal/$name"
    echo "#include <ioanneal/$name>" >one.c
    expect_exit 0 "$cc" -std=c17 -pedantic -Wall -Wextra -Werror -I"$prefix/include" -fsyntax-only one.c
    if command -v c++ >/dev/null; then
        expect_exit 0 c++ -x c++ -std=c++17 -Wall -Wextra -Werror -I"$prefix/include" -fsyntax-only one.c
    fi
    for function in $(sed 's|/\*.*||; s|^ \*.*||' "$header" | grep -oE '\bioa_[a-z0-9_]+\(' | tr -d '(' | sort -u); do
        echo "$exported" | grep -qx "$function" || fail "ioanneal/$name declares $function, the library does not export it"
        declared="$declared $function"
    done
done
[ "$(ls "$prefix/include/ioanneal" | wc -l)" -eq "$(ls "$IOA_SOURCE"/core/include/ioanneal/*.h "$IOA_SOURCE"/io/include/ioanneal/*.h | wc -l)" ] ||
    fail "headers that are not public are installed"

for function in $(echo "$exported" | grep "^ioa_"); do # coverage builds add names of their own
    case " $declared " in *" $function "*) ;; *) fail "exported, but in no public header: $function" ;; esac
done

# A network and an archive made by the installed program.
IOA_PROGRAM=$prefix/bin/ioanneal
expect_exit 0 ioa generate mlp --widths 40,50,10 --density 0.2 --seed 3 -o net.h5
expect_exit 0 ioa optimize net.h5 -o best.h5 --memory 8,32 --method construct --timing 0 -q
expect_exit 0 ioa generate mlp --widths 40,50,10 --density 0.2 --seed 4 -o other.h5

try_consumer() { # PROGRAM
    local memory
    export LD_LIBRARY_PATH=$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    for memory in 8 32; do
        expect_exit 0 "$1" net.h5 best.h5 $memory
        expect_text "^schedules 2 memory $memory reads [0-9]+ writes [0-9]+ verified 1 outputs 10 "
    done
    expect_exit 0 "$1" net.h5 best.h5 30 # the nearest memory size
    expect_text ' memory 32 '
    expect_exit 2 "$1" other.h5 best.h5 8
    grep -q 'best.h5: belongs to another topology' "$err" || fail "the message does not name file and reason"
    expect_exit 2 "$1" net.h5 net.h5 8
    expect_exit 2 "$1" net.h5 missing.h5 8
    if ldd "$1" | grep -q 'not found'; then fail "the program does not find its libraries"; fi
}

consumer=$IOA_SOURCE/tests/install/consumer
expect_exit 0 "$IOA_CMAKE" -G Ninja -S "$consumer" -B by-cmake -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$cc"
grep -q "ioanneal_DIR:PATH=$prefix" by-cmake/CMakeCache.txt || fail "find_package found another installation"
expect_exit 0 "$IOA_CMAKE" --build by-cmake
try_consumer by-cmake/consumer

# The installed example, against the bundle it is for.
expect_exit 0 ioa pack best.h5 --network net.h5 -o bundle.h5
example=$(find "$prefix" -path '*/doc/ioanneal/examples/deploy.c' -print)
[ -n "$example" ] || fail "the example is not installed"
expect_exit 0 "$cc" -std=c17 -pedantic -Wall -Wextra -Werror "$example" -I"$prefix/include" -L"$libdir" -lioanneal -pthread -o deploy
expect_exit 0 ./deploy bundle.h5
expect_text '^schedule for M = (8|32): [0-9]+ I/Os'
cp "$out" "$scratch/alone"
expect_exit 0 ./deploy bundle.h5 7
cmp -s "$out" "$scratch/alone" || fail "seven threads compute something else than one"
expect_exit 2 ./deploy net.h5
expect_exit 0 ioa optimize net.h5 -o large.h5 --memory 1000000 --method construct --timing 0 -q
expect_exit 0 ioa pack large.h5 --network net.h5 -o large-bundle.h5
expect_exit 0 ./deploy large-bundle.h5
grep -q 'warning: large-bundle.h5: the schedule is for M = 1000000' "$err" || fail "no warning of a schedule for another machine"

# A version that the package does not promise is refused.
sed 's/ioanneal 0.1/ioanneal 9.9/' "$consumer/CMakeLists.txt" >"$scratch/CMakeLists.txt"
mkdir "$scratch/newer" && mv "$scratch/CMakeLists.txt" "$scratch/newer/" && cp "$consumer/consumer.c" "$scratch/newer/"
expect_exit 1 "$IOA_CMAKE" -S "$scratch/newer" -B by-newer -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$cc"

# pkg-config, from an installed tree that has been moved.
command -v pkg-config >/dev/null || skip "pkg-config is missing (the part with find_package passed)"
mv "$prefix" "$scratch/moved"
libdir=$scratch/moved${libdir#"$prefix"}
export PKG_CONFIG_PATH=$libdir/pkgconfig
expect_exit 0 pkg-config --modversion ioanneal
expect_exit 0 "$cc" -std=c17 -Wall -Wextra "$consumer/consumer.c" $(pkg-config --cflags --libs ioanneal) -lm -o by-pkg-config
try_consumer ./by-pkg-config
