"""Release a picture made elsewhere: marked, labelled, signed, logged, read back.

    python examples/release_a_picture.py PICTURE FOLDER

Needs an installation (`guard init`).
"""

from __future__ import annotations

import sys
from pathlib import Path

from guard import Denied, Home
from guard.intake import Statement, release_file
from guard.plan import ask
from guard.policy.rule import Stage
from guard.tools import assemble
from provenance.manifest.reading import DigitalSourceType


def main(picture: Path, folder: Path) -> int:
    tools = assemble(Home.locate())
    said = Statement(source_type=DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA, model_name="My hosted model")
    try:
        plan = ask(Stage.PLAN, said.origin(), tools, command="release").obligations
        released = release_file(
            picture, said, tools, plan=plan, command="release", output=folder / picture.name
        )
    except Denied as denied:
        print(f"not released: {denied.what}")
        return 1
    print(f"{released.path}  {released.decision.action}  log entries {released.leaves}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
