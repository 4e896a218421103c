"""Extensions to create, each unlike any other."""

import itertools

_numbers = itertools.count(70001)


def person(numbered=True):
    """The body that creates a user."""
    number = next(_numbers)
    body = {
        "type": "User",
        "status": "NotActivated",
        "contact": {"firstName": "Ada", "lastName": f"Nr {number}", "email": f"ada.{number}@acme.example"},
    }
    return {**body, "extensionNumber": str(number)} if numbered else body


def made(ringcentral, wanted):
    """Every extension of the account that has the wanted name."""
    fields = ["firstName", "lastName", "email"]

    def named(contact):
        return [contact.get(field) for field in fields]

    return [one for one in ringcentral.extensions() if named(one["contact"]) == named(wanted["contact"])]
