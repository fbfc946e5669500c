"""``python -m guard`` and the ``guard`` command."""

from __future__ import annotations

import gc
import sys

from guard._siblings import check_siblings

_OBJECTS_BETWEEN_COLLECTIONS = 50_000
"""Imports leave tens of thousands of objects that stay; looking through them for garbage after every
700, as is the default, costs a short command a tenth of its time."""


def main() -> None:
    """Check the installation, then run the command line."""
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    from guard.cli._output import report_error  # noqa: PLC0415 - errors before the check are ours to print
    from provenance.errors import Error  # noqa: PLC0415

    try:
        check_siblings()
    except Error as error:
        report_error(error)
        sys.exit(error.exit_code)
    from guard.cli.main import run  # noqa: PLC0415

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
