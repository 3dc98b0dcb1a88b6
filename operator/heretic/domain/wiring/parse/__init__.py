"""Pure parsers of what hosts tell of their networks."""
