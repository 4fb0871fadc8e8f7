"""The stage, and what was made on it: what each act finds and leaves."""

from collections import Counter
from dataclasses import dataclass, field

from crypto import Certificate, load_certificate
from deploy.demo.desk import Desk
from deploy.demo.returns import Return, published_returns
from deploy.demo.stage import Stage
from validators.standard import Standard, load_standard


@dataclass
class Play:
    """The stage, and what was made on it."""

    stage: Stage
    standard: Standard = field(default_factory=load_standard)
    desks: dict[str, Desk] = field(default_factory=dict)
    sent: Counter[str] = field(default_factory=Counter)
    results: dict[str, str] = field(default_factory=dict)

    @property
    def gateway(self) -> Certificate:
        """The gateway's certificate, as every agency has it."""
        return load_certificate((self.stage.keys / "gateway-certificate.asc").read_bytes())

    def registered(self) -> list[Return]:
        """The published returns whose agency the register knows."""
        known = self.standard.agencies
        return [each for each in published_returns() if each.agency_id in known]
