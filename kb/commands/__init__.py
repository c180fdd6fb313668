"""Groups of commands that kb.cli takes in; each command is a few lines that call a use case."""
