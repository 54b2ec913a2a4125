"""A delivery whose letters are set by processes that are killed."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from connectors.post.spool import PostSpool
from connectors.post.typesetting import Typesetters
from tests.connectors.letters import letter
from tests.tasks.outbox_world import NOW, House
from tests.tasks.send.sending import PATIENCE, send, spooled, states, wait_until


def test_a_letter_whose_setter_was_killed_goes_with_a_later_delivery(house: House) -> None:
    house.customers(3, preferred_channel="post")
    house.written()
    post = house.engine.post
    assert isinstance(post, PostSpool)
    post._typesetters = typesetters = Typesetters(2)
    typesetters.letter(letter())
    child = typesetters._idle[-1].process.pid
    os.kill(child, signal.SIGSTOP)  # so that it dies while it has a letter
    with ThreadPoolExecutor(1) as threads:
        delivery = threads.submit(send, house)
        wait_until(lambda: len(spooled(house)) == 2)
        os.kill(child, signal.SIGKILL)
        assert delivery.result(PATIENCE).plain() == {"post": {"postponed": 1, "sent": 2}}
    assert states(house) == {"queued": 1, "sent": 2}
    assert send(house, NOW + timedelta(hours=1)).plain() == {"post": {"sent": 1}}
    assert len(spooled(house)) == 3
