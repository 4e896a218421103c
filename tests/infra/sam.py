"""`template.yaml` as SAM makes CloudFormation's own resources of it, and what its conditions come to.

Needs the packages of .ci/sam.txt. Must never talk to AWS.
"""

import copy
import logging
import os
import re
from pathlib import Path

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
logging.disable(logging.WARNING)

from samtranslator.translator.transform import transform  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402

TEMPLATE = Path(__file__).parent.parent.parent / "template.yaml"
# What a parameter is set to, to be something else than its default.
OTHERWISE = {
    "Stage": "prod",
    "PublicUrl": "https://gateway.example.com",
    "WebhookEndpoint": "function-url",
    "ReceiveReservedConcurrency": 5,
    "AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:alarms",
    "KmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/1",
}
# What no parameter decides.
PSEUDO = {"AWS::Partition": "aws"}


class NoManagedPolicies:
    def load(self):
        return {}


def source():
    """The template as it is written, with code where `sam package` puts it."""
    return yaml_parse(re.sub(r"(?m)^(\s+CodeUri:) .*$", r"\1 s3://bucket/key", TEMPLATE.read_text()))


def expanded(parameters, written=None):
    """The template as CloudFormation gets it, built and packaged."""
    return transform(copy.deepcopy(written or source()), dict(parameters), NoManagedPolicies())


def defaults(declared):
    return {name: parameter["Default"] for name, parameter in declared.items()}


def holds(condition, conditions, parameters):
    ((kind, sides),) = condition.items()
    if kind == "Fn::Equals":
        known = {**PSEUDO, **parameters}
        return len({str(known[side["Ref"]] if isinstance(side, dict) else side) for side in sides}) == 1
    if kind == "Fn::Not":
        return not holds(sides[0], conditions, parameters)
    if kind == "Fn::And":
        return all(holds(side, conditions, parameters) for side in sides)
    if kind == "Condition":
        return holds(conditions[sides], conditions, parameters)
    raise ValueError(f"the condition {kind} is not understood here")


def held(template, parameters):
    """Which conditions hold."""
    conditions = template["Conditions"]
    return {name: holds(condition, conditions, parameters) for name, condition in conditions.items()}


def references(value, held):
    """The names that a value refers to, where the conditions let it."""
    if isinstance(value, list):
        for item in value:
            yield from references(item, held)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                yield inner
            elif key == "Fn::GetAtt":
                yield inner[0] if isinstance(inner, list) else inner.split(".")[0]
            elif key == "Fn::If":
                yield from references(inner[1 if held[inner[0]] else 2], held)
            elif key == "Fn::Sub":
                text, own = inner if isinstance(inner, list) else (inner, {})
                yield from references(own, held)
                yield from (name.split(".")[0] for name in re.findall(r"\$\{([^!}]+)\}", text) if name not in own)
            else:
                yield from references(inner, held)
