"""Two packs side by side, as data."""

from policies.comparison import PackChange, compare
from policies.pack import load_pack, standard_pack_files


def test_every_change_says_where_it_is() -> None:
    files = standard_pack_files()
    changed = {
        **files,
        "guardrails.yaml": files["guardrails.yaml"].replace("tolerance: 500", "tolerance: 600"),
        "segments.yaml": files["segments.yaml"].replace("relation_days < 365", "relation_days < 400"),
        "journeys/forgetful.yaml": files["journeys/forgetful.yaml"].replace("due + 4 working", "due + 5 working"),
        "templates/en/reminder.j2": files["templates/en/reminder.j2"] + "{# one more line #}\n",
    }
    found = compare(load_pack(files), load_pack(changed))
    assert [(each.area, each.segment, each.step, each.field) for each in found] == [
        ("segments", "new", None, "when"),
        ("journeys", "forgetful", "reminder", "at"),
        ("guardrails", None, None, "tolerance"),
        ("templates", None, None, "templates/en/reminder.j2"),
    ]
    assert found[2] == PackChange("guardrails", None, None, "tolerance", "500", "600")
    assert found[3].lines[-1] == "+{# one more line #}"
    assert compare(load_pack(files), load_pack(files)) == []
