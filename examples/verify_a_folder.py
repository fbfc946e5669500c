"""Sort the files of a folder by what can be known of their origin.

python examples/verify_a_folder.py FOLDER
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

from guard import State, verify_file
from provenance.errors import Error


def main(folder: Path) -> int:
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        try:
            found[verify_file(path).state].append(path.name)
        except Error as error:
            found[f"unreadable ({error.code})"].append(path.name)
    for state, names in found.items():
        print(f"{state:<18} {len(names):>4}  {', '.join(names[:5])}")
    return 1 if State.TAMPERED in found else 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.stderr.write("usage: verify_a_folder.py FOLDER\n")
        sys.exit(2)
    sys.exit(main(Path(sys.argv[1])))
