"""guardrails.yaml: limits that hold in every journey, as strict models like those of `policies.schema`."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from maatpak.kernel.words import PartyKind
from policies.schema import Country, File, Minor
from policies.timing import WorkingDays


class ContactLimits(File):
    """Written contacts of a party, over everything that we write to it."""

    most: int = Field(ge=1)
    within: WorkingDays
    apart: WorkingDays


class CallLimits(File):
    """Call attempts at a party; never more than one a day."""

    a_week: int = Field(ge=1)


class Hours(File):
    """When customers may be reached, in their own zone; never on Sundays."""

    business: Annotated[str, Field(pattern=r"^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$")]
    consumer: Annotated[str, Field(pattern=r"^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$")]


class TextBasis(StrEnum):
    """On what ground a customer is texted."""

    CONTRACT = "contract"
    """The number was given for the contract, and what is written is about it."""
    CONSENT = "consent"
    """The customer agreed to texts at that number, and it is recorded who said so, when and how."""


class Texts(File):
    """On what ground customers are texted at a number that the ledger has; a STOP always ends it."""

    business: TextBasis
    consumer: TextBasis
    consent_in: list[Country] = Field(default_factory=list, description="Countries in which it is always consent.")

    def need_consent(self, kind: str, country: str) -> bool:
        """Whether a customer of this kind and country must have agreed."""
        basis = self.consumer if kind == PartyKind.CONSUMER else self.business
        return basis is TextBasis.CONSENT or country in self.consent_in


CAUTIOUS = Texts(business=TextBasis.CONSENT, consumer=TextBasis.CONSENT)
"""Of a pack that says nothing of it."""


class Season(File):
    """Days of the year, both ends included, in which nothing is demanded."""

    from_: Annotated[str, Field(alias="from", pattern=r"^[01][0-9]-[0-3][0-9]$")]
    to: Annotated[str, Field(pattern=r"^[01][0-9]-[0-3][0-9]$")]


class EscalationLimits(File):
    """Law 5 in numbers."""

    give_up_after: WorkingDays = Field(
        description="A step that has been due for so long and may not be taken sends the case to a person's decision."
    )
    no_demand: list[Season] = Field(default_factory=list)
    holiday_eve: bool = Field(description="Whether the eve of a public holiday is spared too.")


class ApprovalLimits(File):
    """How approvals are given."""

    lapse_after: WorkingDays
    demands_a_batch: int = Field(ge=1)


class PromiseLimits(File):
    """Which promises are taken, and when one counts as kept."""

    horizon: WorkingDays
    a_round: int = Field(ge=1)
    kept_share: float = Field(gt=0, le=1)
    bank_days: int = Field(ge=0, description="Days of grace for the money to be value-dated.")


class PlacementLimits(File):
    """How long what was checked before a placement counts."""

    identity_months: int = Field(ge=1, description="A checked identity counts so many months.")
    address_months: int = Field(ge=1, description="An address counts so many months after it was told or confirmed.")
    register_days: int = Field(ge=1, description="A look into the insolvency register counts so many days.")
    limitation_months: dict[Country, int] = Field(
        default_factory=dict,
        description="By the customer's country: months after its due date in which an item can be claimed.",
    )
    limitation_margin_days: int = Field(ge=0, description="So many days of them must be left.")


class GuardrailsFile(File):
    """guardrails.yaml: limits that hold in every journey; the newest version always applies."""

    tolerance: Minor = Field(description="Up to this amount nobody is contacted.")
    data_age: WorkingDays
    contacts: ContactLimits
    calls: CallLimits
    silence_after_talk: WorkingDays
    silence_after_round: WorkingDays
    notice_after_reroute: WorkingDays
    decide_again_after: WorkingDays = Field(
        description="A decision that lets the case rest or go on is asked again after so long."
    )
    hours: Hours
    texts: Texts = CAUTIOUS
    escalation: EscalationLimits
    approvals: ApprovalLimits
    promises: PromiseLimits
    placement: PlacementLimits
