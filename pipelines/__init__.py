"""What happens in which order: one pipeline a file, wiring only."""
