"""The template as the emulator gets it: packaged as `sam package` does it, and patched where the emulator is not AWS."""

import copy
import os

# The translator asks for one; nothing is sent there.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

from samtranslator.translator.transform import transform  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402
from support.processes import ROOT  # noqa: E402

FUNCTION = "AWS::Serverless::Function"
# Seconds; the dispatcher's timeout in `trunkline` (infra/local/src/event_source.rs).
DISPATCH_TIMEOUT = 5


def parameter(template, name):
    return template["Parameters"][name]["Default"]


def without_code_deploy(template):
    del template["Globals"]["Function"]["DeploymentPreference"]
    for function in functions(template).values():
        del function["Properties"]["DeploymentPreference"]


def concurrency_as_a_number(template):
    scaling = functions(template)["DispatchFunction"]["Properties"]["Events"]["Deliveries"]["Properties"][
        "ScalingConfig"
    ]
    scaling["MaximumConcurrency"] = parameter(template, scaling["MaximumConcurrency"]["Ref"])


def secret_by_its_arn(template):
    def changed(value):
        if value == {"Ref": "AuthSecret"}:
            return {"Fn::GetAtt": ["AuthSecret", "Id"]}
        if isinstance(value, dict):
            return {key: changed(one) for key, one in value.items()}
        return [changed(one) for one in value] if isinstance(value, list) else value

    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::IAM::Role":
            resource["Properties"] = changed(resource["Properties"])


def impatient_dispatcher(template):
    functions(template)["DispatchFunction"]["Properties"]["Timeout"] = DISPATCH_TIMEOUT


# Everything that is done to the template, and why. The first three because the emulator is not AWS.
PATCHES = [
    ("DeploymentPreference is left out: the emulator has no CodeDeploy", without_code_deploy),
    (
        "MaximumConcurrency is written out: the emulator hands a parameter of type Number on as a text",
        concurrency_as_a_number,
    ),
    ("roles name the secret by its Id: the emulator's Ref of a secret is its name, AWS's the ARN", secret_by_its_arn),
    ("the dispatcher may take 5 s instead of 30: what a dead one had comes again only after that", impatient_dispatcher),
]


EXPANDED = "SAM's translator runs before: the emulator gives it no parameters, and CloudFormation does"


class NoManagedPolicies:
    def load(self):
        return {}


def expanded(template, parameters):
    """The template as SAM makes it CloudFormation's, with the parameters of this deployment."""
    declared = template["Parameters"].items()
    values = {name: str(parameters.get(name, one["Default"])) for name, one in declared}
    return transform(copy.deepcopy(template), values, NoManagedPolicies())


def functions(template):
    return {name: one for name, one in template["Resources"].items() if one["Type"] == FUNCTION}


def binary(function):
    return function["Metadata"]["BuildProperties"]["Binary"]


def packaged(bucket, url):
    """The patched template with its code and its nested template in a bucket, and that nested template."""
    with open(os.path.join(ROOT, "template.yaml"), encoding="utf-8") as text:
        template = yaml_parse(text)
    for _, patch in PATCHES:
        patch(template)
    for function in functions(template).values():
        function["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": f"{binary(function)}.zip"}
    nested = template["Resources"]["DashboardsStack"]["Properties"]
    with open(os.path.join(ROOT, nested["TemplateURL"]), encoding="utf-8") as text:
        dashboards = yaml_parse(text)
    nested["TemplateURL"] = f"{url}/{bucket}/dashboards.json"
    return template, dashboards
