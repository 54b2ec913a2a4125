"""Letters that go by Pingen, through the outbox."""

import asyncio

import pytest

from connectors.faults import Fault
from connectors.message import Outgoing
from connectors.post.pingen import PingenPost
from connectors.post.pingen_simulator import PingenSimulator
from tasks.engine import Engine
from tests.tasks.outbox_world import House
from tests.tasks.send.sending import lease, let_leases_expire, messages, send, states


@pytest.fixture
def simulator(engine: Engine) -> PingenSimulator:
    engine.settings = engine.settings.model_copy(update={"pingen_url": "simulator"})
    assert isinstance(engine.post, PingenPost)
    assert engine.post.simulator is not None
    return engine.post.simulator


def test_a_letter_goes_to_pingen_under_its_id(house: House, simulator: PingenSimulator) -> None:
    house.customer(preferred_channel="post")
    house.written()
    assert send(house).plain() == {"post": {"sent": 1}}
    (row,), (kept,) = messages(house), simulator.letters()
    assert row["service_ref"] == kept["id"]


def test_a_letter_in_doubt_is_unknown_and_never_sent_again_by_itself(house: House, simulator: PingenSimulator) -> None:
    house.customer(preferred_channel="post")
    house.written()
    simulator.plan_faults([Fault(at="after", drop=True)])
    assert send(house).plain() == {"post": {"unknown": 1}}
    simulator.plan_faults([])
    send(house)
    assert len(simulator.letters()) == 1


@pytest.mark.parametrize("taken", [True, False])
def test_what_a_killed_worker_was_sending_is_printed_once(
    house: House, simulator: PingenSimulator, taken: bool
) -> None:
    house.customer(preferred_channel="post")
    house.written()
    (row,) = messages(house)
    if taken:
        asyncio.run(house.engine.post.send(Outgoing.from_json(house.engine.store.get(row["content"])), []))
    lease(house, "sending")
    let_leases_expire(house)
    send(house)
    send(house)
    assert states(house) == {"sent": 1}
    assert len(simulator.letters()) == 1
