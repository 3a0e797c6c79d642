from registry.mlflow_registry import shorten_card


def test_a_long_model_card_fits_into_mlflows_databases():
    from mlflow.store.model_registry.dbmodels.models import SqlModelVersion

    most = SqlModelVersion.__table__.c.description.type.length
    lines = [f"| row {i} | {i * i} |" for i in range(1000)]
    card = "\n".join(lines)
    kept = shorten_card(card)
    assert most - 30 < len(kept) <= most
    assert set(kept.splitlines()[:-2]) <= set(lines)  # no line is cut
    assert "model_card.md" in kept.splitlines()[-1]
    assert shorten_card(card[:most]) == card[:most]
