"""Pages of those who look after the library, each for the roles that its views name."""
