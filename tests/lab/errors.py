"""What the lab raises when it cannot do what it was asked to."""


class LabError(Exception):
    """Says what failed and what to do about it; meant to be read by a person, without a traceback."""
