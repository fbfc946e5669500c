"""What happens to pictures on their way through the world, and what of a mark is left after it."""
