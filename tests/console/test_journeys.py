"""Journeys: drawn with the numbers that the day left, and a changed pack published by four eyes through the pages."""

import re

from policies.pack import load_pack, standard_pack_files
from tasks.impact import impact
from tasks.journey_figures import journey_figures
from tests.console.conftest import At
from tests.console.house import Console, links_of, words_of

MOST_QUERIES, MOST_BYTES = 15, 200_000
TAIL, WORDS = "fragments/tail.yaml", "templates/en/final_demand.j2"
STRICTER = standard_pack_files()[TAIL].replace(
    "escalating: true, approval: credit_manager,\n", "escalating: true, approval: finance_director,\n"
)
OTHER_WORDS = standard_pack_files()[WORDS].replace("\n", "\n{# <b>plainer</b> #}\n", 1)


def looked_at(console: Console, login: str, *paths: str) -> list[str]:
    """The words of pages that are small and ask little."""
    told = []
    for path in paths:
        with console.counting() as sent:
            answer = console.browser(login).get(path)
        assert answer.status_code == 200, (path, answer.text)
        assert len(sent) <= MOST_QUERIES, (path, len(sent), sent)
        assert len(answer.content) <= MOST_BYTES, path
        told.append(words_of(answer))
    return told


def test_a_journey_is_drawn_with_its_numbers(at: At) -> None:
    console = at("three demanding")
    code = console.rows("SELECT code FROM creditor")[0]["code"]
    page = f"/journeys/{code}/forgetful"
    overview, journey = looked_at(console, "colin", "/journeys", page)
    assert "Follows standard 1" in overview
    assert "Forgetful slips, or little known 3 €2,500.00 3" in overview
    with console.engine.database.reading() as session:
        creditor = console.engine.creditor_id(code)
        kept = journey_figures(session, creditor, "forgetful")
    shown = console.program("colin").get(f"/api/v1{page}").json()
    steps = {each["name"]: each for each in shown["steps"]}
    for name, numbers in kept.steps.items():
        assert steps[name]["standing"] == numbers.standing
        assert {each["before"]: each["days"] for each in steps[name]["waits"]} == numbers.median_wait
    assert shown["standing"] == steps["final_demand"]["standing"] == 3
    assert steps["handoff"]["rule"]["after"] == "final_demand, 15 working days, last_call, supply_stop"
    assert "5 working days after tell manager" in journey
    drawn = console.browser("colin").get(page)
    assert f"{steps['second_notice']['waits'][0]['days']} wd</text>" in drawn.text
    behind = next(link for link in links_of(drawn) if "step=final_demand" in link and "reason" not in link)
    assert "3 in all" in words_of(console.browser("colin").get(behind)), "a number is as long as the list behind it"
    assert "/cases?" not in console.browser("ada").get(page).text, "who sees no customers gets no links to them"
    assert console.browser("colin").get(f"/journeys/{code}/nobody").status_code == 404
    assert console.browser("colin").get(f"{page}?pack=99").status_code == 404


def test_a_changed_pack_is_published_by_four_eyes(at: At) -> None:
    console = at("three demanding")
    code = console.rows("SELECT code FROM creditor")[0]["code"]
    ada, max_, frans = (console.browser(each) for each in ("ada", "max", "frans"))
    fields = {"note": "Demands need the finance director", "creditors": code}
    form = "/packs/1/change?templates=en"
    wrong = ada.send(form, **fields, **{f"files:{TAIL}": STRICTER.replace("approval:", "aproval:")})
    assert wrong.status_code == 422
    assert f"{TAIL}:10 there is no key &#39;aproval&#39; here" in re.sub(r"</?code>", "", wrong.text)
    assert "aproval: finance_director" in wrong.text, "what was written is still there"
    assert not console.rows("SELECT FROM pack_draft")
    changed = {f"files:{TAIL}": STRICTER.replace("\n", "\r\n"), f"files:{WORDS}": OTHER_WORDS.replace("\n", "\r\n")}
    sent = ada.send(form, **fields, **changed)
    assert (sent.status_code, sent.headers["location"]) == (303, "/packs/drafts/1")
    draft, pack = (
        console.rows("SELECT * FROM pack_draft")[0],
        load_pack(standard_pack_files() | {TAIL: STRICTER, WORDS: OTHER_WORDS}),
    )
    assert draft["content_hash"] == pack.content_hash, "browsers' line ends are none of ours"
    own, waits, others = looked_at(console, "ada", "/packs/drafts/1", "/journeys", "/packs/drafts")
    assert "Somebody other than you: credit manager or finance director" in own
    assert "draft 1 waits" in waits
    assert "Demands need the finance director" in others
    told = looked_at(console, "max", "/packs/drafts/1")[0]
    assert "Forgetful, Final demand: approval_role credit_manager finance_director" in told
    assert "+{# <b>plainer</b> #}" in told, "of words line by line, with their signs"
    for way in ("new", "move"):
        page = console.program("max").get(f"/api/v1/packs/drafts/1/impact?way={way}").json()
        today = console.rows("SELECT id, business_date FROM creditor")[0]
        sheet = impact(
            console.engine, today["id"], pack, today["business_date"], console.clock.now(), move_running=way == "move"
        )
        counted = {(each["kind"], each["segment"], each["cases"], each["overdue"]) for each in page["counts"]}
        assert counted == {(str(each.kind), each.segment, each.cases, each.overdue) for each in sheet.counts}
        assert (page["seen"], page["changed"], page["moved"], page["kept"]) == (
            sheet.cases.height,
            sheet.changed.height,
            sheet.moved,
            sheet.kept,
        )
        assert [each["case_id"] for each in page["cases"]] == sheet.changed["case_id"].to_list()
    shown = looked_at(console, "max", "/packs/drafts/1/impact?way=move&kind=taken_back")[0]
    assert "have a proposal taken back Forgetful 3 €2,500.00" in shown
    assert "3 rounds" not in looked_at(console, "ada", "/packs/drafts/1/impact")[0]
    assert console.program("ada", "read").get("/api/v1/packs/drafts/1/impact?way=move").json()["cases"] == []
    assert ada.get("/packs/drafts/1/confirm").status_code == 403
    done = max_.send("/packs/drafts/1/confirm", reason="Agreed in the meeting")
    assert done.status_code == 303
    assert console.rows("SELECT g.pack_id FROM creditor_pack g WHERE replaced_at IS NULL") == [{"pack_id": 2}]
    assert console.rows("SELECT state, ended_by FROM pack_draft") == [{"state": "published", "ended_by": "max"}]
    assert "is published" in words_of(max_.get("/packs/drafts/1/impact")), "what is decided has no impact any more"
    again = max_.send(
        "/packs/2/change", **fields | {"note": "As it was"}, **{f"files:{TAIL}": standard_pack_files()[TAIL]}
    )
    assert again.headers["location"] == "/packs/drafts/2"
    refused = max_.send("/packs/drafts/2/confirm", reason="Mine")
    assert refused.status_code == 409
    assert "max submitted draft 2 and does not publish it" in words_of(refused)
    assert max_.send("/packs/drafts/2/withdraw", reason="Not yet").status_code == 303
    moved = frans.send(f"/journeys/{code}/move", reason="All at once")
    assert moved.status_code == 303
    assert console.rows("SELECT DISTINCT pack_id FROM round_course WHERE replaced_at IS NULL") == [{"pack_id": 2}]
    listed, compared, version = looked_at(console, "audrey", "/packs", "/packs/2/compare", "/packs/2?file=" + TAIL)
    assert f"standard 2 {code} Demands need the finance director max" in listed
    assert "Strained, Final demand: approval_role credit_manager finance_director" in compared
    assert "approval: finance_director" in version


def test_drafts_are_for_who_sees_their_creditors(at: At) -> None:
    """What is for other creditors only is not there; and no draft of theirs is decided."""
    console = at("start")
    code = console.rows("SELECT code FROM creditor")[0]["code"]
    fields = {"note": "Other", "creditors": code, f"files:{TAIL}": STRICTER}
    assert console.browser("ada").send("/packs/1/change", **fields).status_code == 303
    with console.engine.database.session() as session:
        session.connection().exec_driver_sql(
            "INSERT INTO creditor (code, name, country, language, currency, time_zone, iban, recorded_at) SELECT"
            " 'XX', 'Other', country, language, currency, time_zone, iban, recorded_at FROM creditor"
        )
        session.connection().exec_driver_sql(
            "INSERT INTO person_creditor (person_id, creditor_id) SELECT p.id, c.id FROM person p, creditor c"
            " WHERE p.login = 'max' AND c.code = 'XX'"
        )
    max_ = console.browser("max")
    assert "No draft waits" in words_of(max_.get("/packs/drafts"))
    for path in ("", "/impact"):
        assert max_.get(f"/packs/drafts/1{path}").status_code == 404
    assert console.program("max").post("/api/v1/packs/drafts/1/confirm", {"reason": "Yes"}).status_code == 404
    given = {"note": "Mine", "creditors": [code], "files": {TAIL: STRICTER}}
    assert console.program("max").post("/api/v1/packs/1/change", given).status_code == 404
    assert max_.get(f"/journeys/{code}/forgetful").status_code == 404
