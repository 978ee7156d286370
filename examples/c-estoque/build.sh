#!/bin/sh
# Builds estoque.wasm: sh build.sh [OUTPUT]. Debian: apt-get install clang lld wasi-libc libclang-rt-dev-wasm32
set -eu
here=$(cd "$(dirname "$0")" && pwd)
clang --target=wasm32-wasi -std=c11 -Os -Wall -Wextra -Werror -mexec-model=reactor \
    -Wl,--gc-sections -Wl,--strip-all -Wl,-z,stack-size=65536 \
    -o "${1:-$here/estoque.wasm}" "$here/estoque.c"
