"""One host: what it is and how it is configured."""
