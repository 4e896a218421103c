"""Writes the operation tables of this folder from a tab-separated list of RingCentral's operations.

    python3 generate.py OPERATIONS.tsv

The list has a heading and the columns operationId, method, path, throttling_group, app_permission,
user_permission, as extracted from RingCentral's OpenAPI description. Never edit the tables by hand.
"""

import csv
import pathlib
import re
import sys

FAMILIES = {
    "account": ("/restapi/v1.0/account",),
    "account_v2": ("/restapi/v2/",),
    "platform": ("/restapi", "/.well-known"),
    "team_messaging": ("/team-messaging",),
    "video": ("/rcvideo", "/webinar"),
    "services": ("/",),
}


def constant(operation_id: str) -> str:
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", operation_id)
    return re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", spaced).replace("-", "_").upper()


def main() -> None:
    here = pathlib.Path(__file__).parent
    with open(sys.argv[1], encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source, delimiter="\t"))
    families: dict[str, list[str]] = {name: [] for name in FAMILIES}
    for row in sorted(rows, key=lambda row: (row["path"], row["method"])):
        family = next(n for n, prefixes in FAMILIES.items() if row["path"].startswith(prefixes))
        families[family].append(
            f'    {constant(row["operationId"])}: "{row["operationId"]}" {row["method"]} "{row["path"]}" '
            f'{row["throttling_group"]} "{row["app_permission"]}" "{row["user_permission"]}";'
        )
    for name, lines in families.items():
        text = f"//! RingCentral's operations: {name.replace('_', ' ')}. Written by `generate.py`.\n\n"
        text += "super::operations! {\n" + "\n".join(lines) + "\n}\n"
        (here / f"{name}.rs").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
