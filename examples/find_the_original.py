"""Whose picture is this copy, and may it be shown? Asks for at least a recovered credential.

python examples/find_the_original.py COPY [HOME]
"""

from __future__ import annotations

import sys
from pathlib import Path

from guard import Home, Requirement, State, Verdict, recover_file, verify_file
from guard.verdict import exit_code
from provenance.errors import Error


def main(copy: Path, home: Home) -> int:
    verdict: Verdict = verify_file(copy, home=home)
    print(f"{verdict.state}: {verdict.reason}")
    if verdict.state is State.RECOVERED:
        best = recover_file(copy, home=home).candidates[0]
        print(f"original: sha256 {best.entry.asset_sha256[:16]}…, signed by {best.manifest.signer}")
    return exit_code(verdict.state, Requirement.RECOVERED, vouched=verdict.vouched, added=verdict.added)


if __name__ == "__main__":
    if len(sys.argv) not in {2, 3}:
        sys.stderr.write("usage: find_the_original.py COPY [HOME]\n")
        sys.exit(2)
    try:
        where = Home(folder=Path(sys.argv[2])) if len(sys.argv) > 2 else Home.locate()
        sys.exit(main(Path(sys.argv[1]), where))
    except Error as error:
        sys.stderr.write(f"{error.where or sys.argv[1]}: {error.what}\n")
        sys.exit(2)
