"""`gateway standard`: the standard that this program carries, to read and to publish, offline."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from gateway.cli.failures import USAGE, Failure
from gateway.cli.files import write_new
from gateway.cli.nouns import Noun
from gateway.cli.options import FOLDER, json_option, standard_option
from gateway.cli.output import print_facts, print_json, print_table, say
from validators.definitions import CodeList, RecordType, RuleText, Standard
from validators.publishing import published
from validators.standard import load_standard


@click.group(cls=Noun)
def standard() -> None:
    """Read or publish the Child Trafficking Data Standard. Needs no network."""


@standard.command()
@click.argument("folder", type=FOLDER)
@json_option
def export(folder: Path, *, as_json: bool) -> None:
    """Write the published standard into FOLDER: what a gateway serves under /standard/.

    Pages, JSON Schemas, CSV on the Web metadata, code lists and mappings of every version. Links
    are relative: any web server can serve the folder, and index.html opens without one. FOLDER must
    be new or empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(None, None, str(folder))
    for path, data in published().items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        write_new(file, data)
    facts = {"folder": str(folder), "files": len(published())}
    print_json(facts) if as_json else print_facts(facts)


@standard.command()
@click.argument("name", required=False)
@standard_option
@json_option
def show(name: str | None, *, version: str | None, as_json: bool) -> None:
    """Show the record types, or what NAME stands for: CASE, CT-030, CL_SEX."""
    carried = load_standard(version)
    if name is None:
        _show_overview(carried, as_json=as_json)
    elif name in carried.records:
        _show_record(carried.records[name], as_json=as_json)
    elif name in carried.rules:
        _show_rule(carried.rules[name], as_json=as_json)
    elif name in carried.codelists:
        _show_codelist(carried.codelists[name], as_json=as_json)
    else:
        raise Failure(
            f"{carried.label} has no record type, rule or code list of the name you gave.",
            "`gateway standard show` lists the record types; rules are CT-001 and so on.",
            status=USAGE,
        )


def _show_overview(carried: Standard, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "standard": carried.name,
                "version": carried.version,
                "records": {code: record.title for code, record in carried.records.items()},
                "codelists": sorted(carried.codelists),
                "rules": sorted(carried.rules),
            }
        )
        return
    kinds = carried.records.values()
    rows = [(each.code, each.title, len(each.fields)) for each in kinds]
    print_table(("Code", "Record type", "Fields"), rows)
    say(f"{carried.label}: {len(carried.codelists)} code lists, {len(carried.rules)} rules")


def _show_record(record: RecordType, *, as_json: bool) -> None:
    fields = list(_fields(record))
    if as_json:
        print_json({"code": record.code, "title": record.title, "fields": fields})
        return
    print_table(("Field", "Type", "Required", "Values"), [list(each.values()) for each in fields])


def _fields(record: RecordType) -> Iterator[dict[str, Any]]:
    for field in record.fields:
        yield {
            "name": field.name,
            "type": field.type,
            "required": field.required,
            "values": field.values,
        }


def _show_rule(rule: RuleText, *, as_json: bool) -> None:
    facts = {
        "rule": rule.code,
        "severity": rule.severity,
        "level": rule.level,
        "applies_to": rule.applies,
        "test": rule.test,
        "message": rule.message,
        "mend": rule.mend,
    }
    print_json(facts) if as_json else print_facts(facts)


def _show_codelist(codelist: CodeList, *, as_json: bool) -> None:
    if as_json:
        print_json({"code": codelist.code, "title": codelist.title, "items": dict(codelist.items)})
        return
    print_table(("Code", "Label"), list(codelist.items.items()))
