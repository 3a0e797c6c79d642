"""One proof for every kind of component: a function that returns its proof in words, within a few seconds.

None of them imports ZenML or MLflow, which alone would take as long as all of them together.
"""

CONNECT_SECONDS = 1.5
ANSWER_SECONDS = 4.0  # a server on a busy machine may think for a while


class Unproven(Exception):  # noqa: N818  # it is no error
    """Raised if a component cannot be proven from this machine; the message names the missing means."""
