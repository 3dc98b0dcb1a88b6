"""The heretic command."""
