"""Faults of the object store: slow, failing, refusing, silent after the deed, doing it twice."""

from collections import Counter
from functools import partial

from tests.chaos.experiment import Inflict, Span
from tests.chaos.faultystore import Fault
from tests.chaos.site import Site
from tests.chaos.traffic import Traffic

LIKELY = 0.4
"""How likely a request meets the fault: often enough for a few in a row, and never all."""


FAULTS = tuple(fault for fault in Fault if fault is not Fault.NONE)


def meet(*faults: Fault) -> Inflict:
    """Let requests meet these faults, one kind at a time: some of them, or all for a while."""

    def inflict(site: Site, traffic: Traffic, span: Span) -> Counter[str]:
        del traffic
        spans: Counter[str] = Counter()
        while span.goes_on() or len(spans) < len(faults):
            fault = Fault(span.next_of(faults, spans))
            likely = span.chance.choice((LIKELY, 1.0))
            site.store.misbehave(partial(_chosen, span, fault, likely))
            span.pause(0.5, 1.5)
            site.store.behave()
            spans[fault] += 1
            span.pause(0.2, 1.0)
        return site.store.met

    return inflict


def _chosen(span: Span, fault: Fault, likely: float) -> Fault:
    return fault if span.chance.random() < likely else Fault.NONE
