"""The one exception for what a user can mend."""


class UserError(ValueError):
    """A user's error: one sentence that names the file, field or run, what was expected and what to do.

    The command line prints it on stderr and exits with code 2; the app shows the same sentence.
    """
