"""Integrity: how well a stripped copy's edits are found, told from benign changes and located."""
