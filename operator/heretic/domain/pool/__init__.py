"""The trusted pool: which hosts it is made of, who is who in it, and what it tells of its volumes.

Every subject that stands on volumes reads it, so it lies below all of them.
"""
