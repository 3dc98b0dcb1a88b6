"""The benchmark: what one pass over many hosts costs, next to the least that it could cost (make bench)."""
