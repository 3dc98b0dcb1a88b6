"""One host: what it is, how it is asked, and steps that every subject may use on it."""
