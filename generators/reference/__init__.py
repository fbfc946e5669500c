"""Small models of the literature, complete and honest: ``python -m generators.reference NAME …``.

Each is one file that a stranger can hold beside its paper. They train in minutes on one core and say in
their card how far they got; no weights of them ship.
"""

from __future__ import annotations

MODELS: dict[str, str] = {
    "ddpm": "generators.reference.ddpm",
    "gpnn": "generators.reference.gpnn",
    "nca": "generators.reference.nca",
    "realnvp": "generators.reference.realnvp",
    "vae": "generators.reference.vae",
}
"""Where each is; the modules load torch, so they are imported when they are asked for."""
