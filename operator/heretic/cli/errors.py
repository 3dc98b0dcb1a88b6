"""How a command says that it cannot go on: one sentence, no traceback."""

from heretic.domain.errors import HereticError, NeedsUser, Reason


def fail(message: str) -> HereticError:
    """An error for the user of the command line.

    Args:
        message: One sentence: what is wrong and what to do.

    Returns:
        The exception, to be raised.
    """
    return HereticError(NeedsUser(Reason.INVALID_SPEC, message))
