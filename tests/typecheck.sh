#!/usr/bin/env bash
# mypy --strict on the built wheel, unpacked outside the checkout: an editable install hides the package mapping from it.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python -m build --wheel --outdir "$scratch/dist" "$root" >"$scratch/build.log" 2>&1 || { cat "$scratch/build.log"; exit 1; }
rm -rf "$root/build"
python -m zipfile -e "$scratch"/dist/*.whl "$scratch/site"
cp "$root/pyproject.toml" "$scratch/pyproject.toml"
cd "$scratch"
MYPYPATH="$scratch/site" python -m mypy --config-file "$scratch/pyproject.toml" -p provkit
