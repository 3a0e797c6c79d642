import pytest

from sentiment.errors import UserError
from sentiment.pages.servable import add_approval
from sentiment.promotion.approval import MAX_CHARACTERS, Approval, read_approval


@pytest.mark.parametrize(
    ("by", "reason", "words"),
    [
        ("Ann", None, "--reason: an approval needs a name and a reason"),
        (None, "good", "--by: an approval needs a name and a reason"),
        (" ", "good", "--by: an approval needs"),
        ("Ann", "x" * (MAX_CHARACTERS + 1), "--reason: is longer than 1,000 characters"),
    ],
)
def test_an_approval_needs_a_name_and_a_reason(by, reason, words):
    with pytest.raises(UserError) as caught:
        read_approval(by, reason)
    assert str(caught.value).startswith(words)


def test_an_approval_is_kept_on_one_line_and_none_is_none():
    approval = read_approval(" Ann  Lee", "fast\nand good")
    assert (approval.by, approval.reason, approval.state) == ("Ann Lee", "fast and good", "approved")
    assert read_approval(None, None) is None


def test_the_model_card_shows_the_latest_approval_first():
    card = "# Card\n\nIntro\n\n## Data\n\nRows\n\n## Limits\n\nMany\n"
    first = add_approval(card, Approval("Ann", "good | <b>", "2026-11-21T03:00:00+00:00"))
    assert first == card.replace(
        "## Data", "## Approval\n\nApproved by Ann on 2026-11-21: good \\| &lt;b&gt;\n\n## Data"
    )
    second = add_approval(first, Approval("Bob", "", "2026-11-22T03:00:00+00:00", "rejected"))
    assert second == card.replace("## Data", "## Approval\n\nRejected by Bob on 2026-11-22\n\n## Data")
