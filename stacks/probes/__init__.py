"""One proof for every kind of component: a function that says what it proved, in a few seconds at most.

None of them imports ZenML or MLflow, which alone would take as long as all of them together.
"""

CONNECT_SECONDS = 1.5
ANSWER_SECONDS = 4.0  # a server on a busy machine may think for a while


class Unproven(Exception):  # noqa: N818  # it is no error
    """What cannot be proven from this machine, and what that would need."""
