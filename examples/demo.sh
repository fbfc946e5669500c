#!/usr/bin/env bash
# From nothing to signed pictures, and from a stripped copy back to its credential.
# `make demo` runs this; everything it makes lies in ./demo, your own installation is not touched.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf demo
mkdir demo
export GUARD_HOME="$PWD/demo/home"
cd demo

say() { printf '\n\033[1m$ %s\033[0m\n' "$*"; }
run() { say "$@"; "$@"; }

run guard init
run guard generate "a portrait of a police officer" -n 4 --seed 7 -o out/
run guard verify out/*.png

picture="$(ls out/*.png | head -1)"
say "# somebody strips the metadata, crops the picture and saves it as a small JPEG"
python - "$picture" copy.jpg <<'PY'
import sys

from PIL import Image

picture = Image.open(sys.argv[1]).convert("RGB")
width, height = picture.size
cropped = picture.crop((width // 20, height // 16, width - width // 20, height - height // 24))
cropped.paste((24, 40, 96), (40, 330, 130, 410))  # and paints over a corner of it
cropped.save(sys.argv[2], quality=55)
PY
say guard verify copy.jpg
guard verify copy.jpg || test $? = 3 # RECOVERED: something to conclude, but not about these bytes
run guard recover copy.jpg
run guard log verify
