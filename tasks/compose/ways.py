"""By which channel a message goes, and why by another than its step asks for: the orders of the pack, tried in turn."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from maatpak.kernel.reasons import SwitchReason
from maatpak.kernel.words import Channel, PartyKind, ReachState
from policies.schema import ChannelOrder, ChannelRule, SmallAmounts
from tasks.compose.recipients import Customer, Hindrance, Reach


@dataclass(frozen=True)
class Switch:
    """The channel that was asked for, and what spoke against it."""

    instead_of: Channel
    why: Hindrance


@dataclass(frozen=True)
class Way:
    """One way that a message goes."""

    reach: Reach
    switch: Switch | None = None


@dataclass(frozen=True)
class Orders:
    """In which orders a pack has the channels tried for a segment."""

    order: ChannelOrder
    small: SmallAmounts


@dataclass(frozen=True)
class Choice:
    """The channels of one customer for one message. `texts`: whether the template has words for a text."""

    customer: Customer
    orders: Orders
    amount: int
    texts: bool

    def ways(self, rule: ChannelRule, used: Sequence[str]) -> list[Way]:
        """The ways that a step uses; `used`: channels used before, the last one last. None: nothing is usable."""
        match rule:
            case ChannelRule.PREFERRED:
                return _those(self._preferred())
            case ChannelRule.OTHER:
                return _those(self._other(self._last(used)))
            case ChannelRule.BOTH:
                return self._both()
            case ChannelRule.POST_AND_EMAIL:
                return self._post_and_email()
            case _:
                named = Channel(rule)
                last = [Channel(used[-1])] if used else []
                others = [each for each in self._others() if each not in (named, *last)]
                found = self._usable(named)
                return [Way(found)] if found else _those(self._along([named, *others, *last]))

    def after_failure(self, rule: ChannelRule, used: Sequence[str]) -> list[Way]:
        """Another way than the one that the step's rule led to, which was tried and could not be used."""
        tried = self.ways(rule, used)
        if not tried:
            return []
        channel = tried[0].reach.channel
        failed = Switch(channel, Hindrance(SwitchReason.FAILED))
        return [
            each if each.reach.channel is channel else replace(each, switch=failed)
            for each in _those(self._other(channel))
        ]

    def _preferred(self) -> Way | None:
        """What the customer asked for; another that is sound when that one is doubtful."""
        return self._along([self.customer.preferred, *self.orders.order.preferred])

    def _other(self, used: Channel | None) -> Way | None:
        """A second channel; the one that was used again where there is no other."""
        order = [each for each in self._others() if each is not used]
        again = self._usable(used) if used else None
        found = self._along(order)
        if found is None and again is not None:
            return Way(again, Switch(order[0], self._against(order[0])) if order else None)
        return found

    def _both(self) -> list[Way]:
        first = self._preferred()
        if first is None:
            return []
        second = self._other(first.reach.channel)
        if second is None or second.reach == first.reach:
            return [replace(first, switch=first.switch or (second.switch if second else None))]
        return [first, second]

    def _post_and_email(self) -> list[Way]:
        wanted = (Channel.POST, Channel.EMAIL)
        missing = [channel for channel in wanted if self._usable(channel) is None]
        if len(missing) == len(wanted):
            return _those(self._along([*wanted, *self.orders.order.preferred]))
        alone = Switch(missing[0], self._against(missing[0])) if missing else None
        return [Way(each, alone) for each in self.customer.reaches if each.channel in wanted]

    def _others(self) -> list[Channel]:
        small = self.customer.kind == PartyKind.CONSUMER and self.amount < self.orders.small.below
        order = self.orders.small.other if small else self.orders.order.other
        return [each for each in order if self.texts or each is not Channel.SMS]

    def _last(self, used: Sequence[str]) -> Channel | None:
        if used:
            return Channel(used[-1])
        first = self._preferred()
        return first.reach.channel if first else None

    def _along(self, order: Iterable[Channel]) -> Way | None:
        """The first sound way of an order, else the first that is doubtful."""
        wanted = list(dict.fromkeys(order))
        usable = [found for channel in wanted if (found := self._usable(channel)) is not None]
        sound = [each for each in usable if each.state is not ReachState.DOUBTFUL]
        if not usable:
            return None
        chosen = (sound or usable)[0]
        asked = wanted[0]
        return Way(chosen, None if chosen.channel is asked else Switch(asked, self._against(asked)))

    def _usable(self, channel: Channel) -> Reach | None:
        return self.customer.reach(channel) if self.texts or channel is not Channel.SMS else None

    def _against(self, channel: Channel) -> Hindrance:
        """What speaks against a channel."""
        reach = self.customer.reach(channel)
        if reach is None:
            return self.customer.hindered.get(channel, Hindrance(SwitchReason.NO_ADDRESS))
        if channel is Channel.SMS and not self.texts:
            return Hindrance(SwitchReason.NO_WORDS)
        return Hindrance(SwitchReason.DOUBTFUL, reach.cause, reach.since)


def _those(way: Way | None) -> list[Way]:
    return [way] if way is not None else []
