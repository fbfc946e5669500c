"""How good a generator is: distances, what an oracle reads, planted shares, steadiness of clips."""
