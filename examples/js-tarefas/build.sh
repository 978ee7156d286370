#!/bin/sh
# Builds tarefas.wasm: sh build.sh [OUTPUT]. Before the first time: npm install --no-package-lock
set -eu
here=$(cd "$(dirname "$0")" && pwd)
output=$(realpath "${1:-$here/tarefas.wasm}")
PATH="$here/node_modules/.bin:$PATH"
cd "$here"
componentize-qjs --sync --minify --wit ../../src/plataforma_sdk/sandbox/wasm/guest/wit --js tarefas.js -o "$output"
