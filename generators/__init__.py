"""generators makes: one protocol over diffusion and GAN, pictures and clips.

Imports ``provenance`` only.
"""
