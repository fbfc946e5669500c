"""What every error code means, for ``guard explain CODE``: one paragraph a code, in the file of its subject.

The word before the dot decides which file that is. A code is never reused.
"""

from __future__ import annotations

from guard.codes.finding import FINDING
from guard.codes.installation import INSTALLATION
from guard.codes.media import MEDIA
from guard.codes.models import MODELS
from guard.codes.signing import SIGNING

CODES: dict[str, str] = dict(sorted((FINDING | INSTALLATION | MEDIA | MODELS | SIGNING).items()))
