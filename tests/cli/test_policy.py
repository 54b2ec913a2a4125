"""Packs on the command line: checked, published, given to creditors, compared; and one case explained."""

import json
from datetime import date
from pathlib import Path

import pytest
from sqlmodel import select

from maatpak.ledger.database import Database
from maatpak.ledger.tables import CreditorPack, Event, PolicyPack
from policies.pack import standard_pack_files
from tasks.day import run_day
from tasks.engine import Engine
from tests.cli.acting import Command
from tests.tasks.act.house import House, at, build_house


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The standard pack in a folder of one's own."""
    for name, text in standard_pack_files().items():
        path = tmp_path / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "mine"


def _change(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")


class TestCheck:
    def test_the_standard_pack_holds(self, command: Command) -> None:
        answer = command("policy", "check")
        assert (answer.status, "Pack standard holds" in answer.out) == (0, True)
        told = json.loads(command("policy", "check", "standard", "--json").out)
        assert [each["segment"] for each in told["segments"]][:2] == ["key", "strained"]

    def test_problems_come_all_at_once_with_file_and_line(self, command: Command, folder: Path) -> None:
        _change(folder, "segments.yaml", "when: key_account\n", "when: key_acount\n")
        _change(folder, "guardrails.yaml", "tolerance: 500", "tolerance: much")
        answer = command("policy", "check", str(folder))
        assert answer.status == 2
        assert "guardrails.yaml:2: " in answer.err
        assert "segments.yaml:5: there is no fact 'key_acount'; did you mean 'key_account'?" in answer.err

    @pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
    def test_what_is_no_pack(self, command: Command, tmp_path: Path, content: bytes | None) -> None:
        if content is not None:
            (tmp_path / "pack.yaml").write_bytes(content)
        answer = command("policy", "check", str(tmp_path if content else tmp_path / "nowhere"))
        assert (answer.status, answer.out) == (2, "")


class TestPublish:
    def test_a_pack_is_published_once_and_given(self, command: Command, engine: Engine, database: Database) -> None:
        build_house(engine, date(2026, 3, 2))
        with database.session() as session:
            before = len(session.exec(select(PolicyPack)).all())
        made = json.loads(command("policy", "publish", "--creditor", "ACME", "--actor", "mo", "--json").out)
        assert (made["name"], made["is_new"], made["creditors"]) == ("standard", False, ["ACME"])
        with database.session() as session:
            assert len(session.exec(select(PolicyPack)).all()) == before

    def test_one_person_does_not_replace_a_pack(self, command: Command, engine: Engine, folder: Path) -> None:
        build_house(engine, date(2026, 3, 2))
        _change(folder, "guardrails.yaml", "tolerance: 500", "tolerance: 700")
        answer = command("policy", "publish", str(folder), "--creditor", "ACME", "--actor", "ada")
        assert (answer.status, "`maatpak policy submit` asks a second one" in answer.err) == (2, True)

    def test_a_changed_pack_is_the_next_version_and_the_old_one_steps_down(
        self, command: Command, engine: Engine, database: Database, folder: Path
    ) -> None:
        house = build_house(engine, date(2026, 3, 2))
        _change(folder, "guardrails.yaml", "tolerance: 500", "tolerance: 700")
        asked = ("--creditor", "ACME", "--note", "more")
        draft = json.loads(command("policy", "submit", str(folder), *asked, "--actor", "ada", "--json").out)
        answer = command("policy", "confirm", str(draft["draft"]), "--actor", "mo", "--reason", "seen")
        assert "New rounds of ACME follow it." in answer.out
        with database.session() as session:
            packs = {pack.id: pack for pack in session.exec(select(PolicyPack))}
            given = session.exec(select(CreditorPack).order_by(CreditorPack.id)).all()  # type: ignore[arg-type]
            kinds = [event.kind for event in session.exec(select(Event).order_by(Event.seq))]  # type: ignore[arg-type]
        assert [pack.version for pack in packs.values()] == [1, 2]
        assert [(each.valid_from, each.replaced_from) for each in given] == [
            (given[0].valid_from, house.day),
            (house.day, None),
        ]
        assert packs[given[-1].pack_id].note == "more"
        assert kinds[-3:] == ["policy_published", "policy_given", "policy_confirmed"]

    def test_drafts_are_refused_and_withdrawn(self, command: Command, engine: Engine, folder: Path) -> None:
        build_house(engine, date(2026, 3, 2))
        _change(folder, "guardrails.yaml", "tolerance: 500", "tolerance: 700")
        for _ in range(2):
            command("policy", "submit", str(folder), "--creditor", "ACME", "--note", "more", "--actor", "mo")
        answer = command("policy", "refuse", "1", "--actor", "mo", "--reason", "no")
        assert (answer.status, "`maatpak policy withdraw` takes it back" in answer.err) == (2, True)
        assert command("policy", "refuse", "1", "--actor", "mia", "--reason", "too hard").out == "Draft 1 is refused.\n"
        waiting = json.loads(command("policy", "drafts", "--json").out)
        assert [(each["draft"], each["creditors"]) for each in waiting] == [(2, "ACME")]
        assert command("policy", "withdraw", "2", "--actor", "mo", "--reason", "later").out == "Draft 2 is withdrawn.\n"
        assert command("policy", "drafts").out == "No pack waits for a second person.\n"
        ended = json.loads(command("policy", "drafts", "--all", "--json").out)
        assert [(each["state"], each["ended_by"]) for each in ended] == [("withdrawn", "mo"), ("refused", "mia")]
        assert command("policy", "move", "--creditor", "ACME", "--actor", "mo", "--reason", "all").out == (
            "0 rounds were moved, 0 keep their version; 0 proposals taken back.\n"
        )

    def test_what_it_would_change(self, command: Command, engine: Engine, folder: Path) -> None:
        house = build_house(engine, date(2026, 3, 2))
        house.item(house.debtor("C1"), "F1", 100_000, date(2026, 1, 30))
        asked = ("policy", "impact", str(folder), "--creditor", "ACME")
        assert "0 of 1 cases would fare otherwise on 2026-03-02." in command(*asked).out
        _change(folder, "guardrails.yaml", "tolerance: 500", "tolerance: 200000")
        told = json.loads(command(*asked, "--move-running", "--json").out)
        assert (told["moved"], told["seen"], told["move_running"]) == (0, 1, True)
        (case,) = told["cases"]
        assert (case["before_outcome"], case["after_reason"]) == ("act", "below_tolerance")
        assert {each["kind"] for each in told["counts"]} >= {"waits", "no_round"}
        assert "1 of 1 cases would fare otherwise" in command(*asked).out

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("--actor", "carla"), "that role may not publish"),
            (("--actor", "ghost"), "nobody who may act here"),
            (("--actor", "mo", "--creditor", "XX"), "There is no creditor 'XX'"),
        ],
    )
    def test_who_may_not(self, command: Command, engine: Engine, arguments: tuple[str, ...], said: str) -> None:
        build_house(engine, date(2026, 3, 2))
        answer = command("policy", "publish", *arguments)
        assert (answer.status, said in answer.err) == (2, True)

    def test_a_broken_pack_is_not_published(self, command: Command, engine: Engine, folder: Path) -> None:
        build_house(engine, date(2026, 3, 2))
        _change(folder, "fragments/tail.yaml", "approvals: 2", "approvals: 1")
        answer = command("policy", "publish", str(folder), "--actor", "mo")
        assert (answer.status, "approval of two persons" in answer.err) == (2, True)

    def test_a_pack_that_needs_what_the_ledger_lacks_is_refused(
        self, command: Command, engine: Engine, folder: Path
    ) -> None:
        house = build_house(engine, date(2026, 3, 2))
        house.item(house.debtor("C1"), "F1", 100_000, date(2026, 1, 30))
        _change(folder, "pack.yaml", "languages:", "needs: [customer_since, key_account, payment_method]\nlanguages:")
        asked = ("--creditor", "ACME", "--note", "more", "--actor", "mo")
        answer = command("policy", "submit", str(folder), *asked)
        assert "has no key_account, payment_method, which pack 'standard' needs" in answer.err


class TestDiff:
    def test_folders_and_published_packs(self, command: Command, engine: Engine, folder: Path) -> None:
        house = build_house(engine, date(2026, 3, 2))
        assert command("policy", "diff", "standard", str(house.pack_id)).out == "They decide alike.\n"
        _change(folder, "guardrails.yaml", "tolerance: 500", "tolerance: 700")
        changes = json.loads(command("policy", "diff", "standard", str(folder), "--json").out)
        assert changes == [{"where": "guardrails.tolerance", "before": "500", "after": "700"}]


def test_schemas_for_editors(command: Command, tmp_path: Path) -> None:
    assert command("policy", "schema", "--to", str(tmp_path / "schemas")).status == 0
    made = {path.name for path in (tmp_path / "schemas").iterdir()}
    assert {"pack.schema.json", "segments.schema.json", "journeys.schema.json", "fragments.schema.json"} <= made
    assert json.loads((tmp_path / "schemas" / "pack.schema.json").read_text())["title"] == "PackFile"


class TestExplain:
    @pytest.fixture
    def late(self, engine: Engine) -> House:
        """A house whose one customer is late."""
        house = build_house(engine, date(2026, 3, 2))
        house.item(house.debtor("C1"), "F1", 100_000, date(2026, 1, 30))
        return house

    @pytest.mark.usefixtures("late")
    def test_now_from_fresh_facts(self, command: Command) -> None:
        answer = command("explain", "C1")
        assert answer.status == 0
        assert "from the facts as they are now" in answer.out
        assert "Segments, first match wins" in answer.out
        assert "From order to payment" in answer.out
        told = json.loads(command("explain", "C1", "--json").out)
        assert [item["document_no"] for item in told["timeline"]] == ["F1"]
        assert (told["as_of"], told["tick_id"], told["creditor"]) == ("2026-03-02", None, "ACME")
        assert told["decision"]["asked_amount"] == 100_000
        assert told["facts"]["overdue_open"] == 100_000

    def test_of_a_past_day_from_what_it_was_decided_from(self, command: Command, late: House, engine: Engine) -> None:
        run_day(engine, late.creditor_id, late.day, at(late.day, 6))
        late.go_to(date(2026, 3, 3))
        told = json.loads(command("explain", "C1", "--as-of", "2026-03-02", "--json").out)
        assert told["tick_id"] is not None
        assert told["stored"]["step"] == told["decision"]["step"]
        assert told["decision"]["outcome"] == "act"
        later = json.loads(command("explain", "C1", "--json").out)
        assert later["as_of"] == "2026-03-03"
        answer = command("explain", "C1", "--as-of", "2026-02-27")
        assert (answer.status, "No run of ACME of 2026-02-27" in answer.err) == (2, True)

    @pytest.mark.usefixtures("late")
    def test_with_other_facts(self, command: Command) -> None:
        told = json.loads(command("explain", "C1", "--set", "key_account=true", "--json").out)
        assert told["segment"] == "key"
        answer = command("explain", "C1", "--set", "key_account=true", "--set", "hardship=yes")
        assert "Supposing key_account = true, hardship = yes." in answer.out

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ("key_account", "sets nothing"),
            ("key_acount=true", "did you mean 'key_account'?"),
            ("reason=x", "one of none"),
        ],
    )
    @pytest.mark.usefixtures("late")
    def test_what_cannot_be_supposed(self, command: Command, given: str, said: str) -> None:
        answer = command("explain", "C1", "--set", given)
        assert (answer.status, said in answer.err) == (2, True)

    def test_nobody_and_nothing(self, command: Command, late: House) -> None:
        late.debtor("C2")
        assert "There is no debtor 'C9'" in command("explain", "C9").err
        assert "had nothing to decide" in command("explain", "C2").err
