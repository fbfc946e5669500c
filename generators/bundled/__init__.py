"""Models that ship with mediaguard: weights, cards and what they know. Data only."""
