"""C2PA manifests: who signs, what a manifest says, writing one, and reading one without trusting it.

``c2pa_adapter`` is the only file that names the C2PA library; it loads when something is signed or read.
"""
