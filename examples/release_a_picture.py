"""Release a picture made elsewhere: marked, labelled, signed, logged, read back.

    python examples/release_a_picture.py PICTURE FOLDER

Needs an installation (`guard init`).
"""

from __future__ import annotations

import sys
from pathlib import Path

from guard import Denied, release_file
from provenance.errors import Error


def main(picture: Path, folder: Path) -> int:
    try:
        released = release_file(
            picture, folder / picture.name, source="trainedAlgorithmicMedia", model_name="My hosted model"
        )
    except Denied as denied:
        print(f"not released: {denied.what}")
        return 1
    except Error as error:
        sys.stderr.write(f"{error.where or picture}: {error.what}\n")
        return 2
    print(f"{released.path}  {released.decision.action}  log entries {released.leaves}")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.stderr.write("usage: release_a_picture.py PICTURE FOLDER\n")
        sys.exit(2)
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
