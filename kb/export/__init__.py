"""Articles -> bytes that leave the house."""
