"""What all tests share."""

from hypothesis import settings

# How long a test takes is watched by pytest-timeout; one example may be slow on a busy machine.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
