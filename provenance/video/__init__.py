"""Clips: read and written frame by frame, marked, digested and found again.

``container`` has the values; ``opening``, ``reader`` and ``writer`` are the only files that name PyAV, and
load when a clip is opened. ``pooled``, ``clip_digest`` and ``locate`` take plain arrays and no container.
"""
