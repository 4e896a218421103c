"""The deployed template, on the emulator `ministack`: its functions are the real binaries, each a process of its own.

What ministack does not do, so that the story says nothing about it: it has no CodeDeploy, evaluates neither metric filters
nor alarms, writes no access log, keeps to no throttle of a stage, and takes a binary of any architecture. It asks the
functions' roles, but neither a function's own policy when API Gateway invokes it, nor the dispatcher's role when its queue
is polled, nor a schedule's role when it fires. What a schedule invokes it does not try again when it fails; what anybody else
invokes without waiting it does, sooner than Lambda.
"""

import io
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

import boto3
import ministack
from support import poll
from support.gateway import Gateway
from support.processes import ROOT, TRUNKLINE, Process, free_port
from support.wire import call

from . import template as templates
from .line import Line
from .operated import TENANT, Operated
from .signed import REGION, Signed
from .tls import Certificates

STACK = "trunkline"
BUCKET = "code"
# The emulator's root.
KEY, SECRET = "test", "test"
# Where the functions' binaries are.
BINARIES = os.path.dirname(TRUNKLINE)


class Emulated(Operated, Gateway):
    title = "template.yaml on ministack, with IAM asked and over TLS"
    # API Gateway's own: without a token it does not ask the authorizer, and what the authorizer refuses is forbidden.
    refusals = (401, 403)
    lacks = {}
    aws = None

    def __init__(self, world):
        self._world = world
        self.folder = world.folder_of("ministack")
        self.processes, self._line = [], None
        world.keep(self)
        self.certificates = Certificates(self.folder)
        # For the clients of this process; the others get it with their environment.
        os.environ["SSL_CERT_FILE"] = self.certificates.authority
        self.trust = {"SSL_CERT_FILE": self.certificates.authority}

    # --- the emulator

    def prepare(self, _):
        port = free_port()
        # Two names of one port: by the first it is AWS, the second is the API's custom domain.
        self._endpoint, self.url = f"https://localhost:{port}", f"https://127.0.0.1:{port}"
        self._line = Line(self.certificates, self._endpoint)
        self.aws = Signed(self._endpoint, KEY, SECRET)
        environment = {
            **self.trust,
            "TMPDIR": self.folder,
            "GATEWAY_PORT": str(port),
            "USE_SSL": "1",
            "MINISTACK_SSL_CERT": self.certificates.certificate,
            "MINISTACK_SSL_KEY": self.certificates.key,
            # Every request is signed and looked at, and each function has the credentials of its role.
            "AUTH": "true",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            # Functions inherit these two, and call their tables through the line.
            "AWS_ENDPOINT_URL": self._endpoint,
            "AWS_ENDPOINT_URL_DYNAMODB": self._line.url,
            # Services with ports of their own that nobody needs here.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
        }
        # As its container starts it: its own command would take port 443 too.
        settings = os.path.join(os.path.dirname(ministack.__file__), "core", "hypercorn_conf.py")
        command = [sys.executable, "-m", "hypercorn", "ministack.app:app", "--workers", "0"]
        command += ["--bind", f"127.0.0.1:{port}", "--config", f"file:{settings}", "--keep-alive", "75"]
        self.processes.append(Process("ministack", command, self.folder, environment))
        poll("ministack answers", self._answers, bound=60)
        self._deploy()

    def _answers(self):
        assert self.processes[0].running(), self.processes[0].logged()[-2000:]
        try:
            return call("GET", f"{self._endpoint}/_ministack/health", bound=10).status == 200
        except OSError:
            return False

    def stop(self):
        if self._line:
            self._line.stop()
        for process in self.processes:
            # The session that was started for it, functions included.
            try:
                os.killpg(process.child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.kill()

    # --- the deployment

    def _client(self, service):
        return boto3.client(
            service,
            endpoint_url=self._endpoint,
            region_name=REGION,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            verify=self.certificates.authority,
        )

    def _deploy(self):
        for reason in [templates.EXPANDED, *(reason for reason, _ in templates.PATCHES)]:
            self._world.figure("patched", reason)
        template, dashboards = templates.packaged(BUCKET, self._endpoint)
        storage = self._client("s3")
        storage.create_bucket(Bucket=BUCKET)

        def store(function):
            name = templates.binary(function)
            storage.put_object(Bucket=BUCKET, Key=f"{name}.zip", Body=self._zipped(name))

        begun = time.monotonic()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(store, templates.functions(template).values()))
        storage.put_object(Bucket=BUCKET, Key="dashboards.json", Body=json.dumps(dashboards))
        self._template = template
        self._world.figure("code uploaded in", f"{time.monotonic() - begun:.1f} s")
        stack = self._change("first", "CREATE", PublicUrl=self.url, RenewalSchedule=self.renewal)
        self.outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}

    def _change(self, name, kind, **parameters):
        """Deploys the template with these parameters, as `sam deploy` does it: by a change set."""
        begun = time.monotonic()
        expanded = templates.expanded(self._template, parameters)
        self._client("s3").put_object(Bucket=BUCKET, Key=f"{name}.json", Body=json.dumps(expanded))
        stacks = self._client("cloudformation")
        asked = {"StackName": STACK, "ChangeSetName": name}
        stacks.create_change_set(
            **asked,
            ChangeSetType=kind,
            TemplateURL=f"{self._endpoint}/{BUCKET}/{name}.json",
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        settled = {"CREATE_COMPLETE", "FAILED"}
        change = poll(
            "the change set", lambda: (one := stacks.describe_change_set(**asked))["Status"] in settled and one
        )
        assert change["Status"] == "CREATE_COMPLETE", change.get("StatusReason")
        stacks.execute_change_set(**asked)
        stack = poll("the stack", lambda: self._settled(stacks), every=0.2)
        if stack["StackStatus"] != f"{kind}_COMPLETE":
            events = stacks.describe_stack_events(StackName=STACK)["StackEvents"]
            failed = [one for one in events if one["ResourceStatus"].endswith("FAILED")]
            raise AssertionError([(one["LogicalResourceId"], one.get("ResourceStatusReason")) for one in failed])
        pages = stacks.get_paginator("list_stack_resources").paginate(StackName=STACK)
        self.resources = [one for page in pages for one in page["StackResourceSummaries"]]
        took = f"{time.monotonic() - begun:.1f} s, {len(self.resources)} resources"
        self._world.figure(f"{kind.lower()} of the stack took", took)
        return stack

    @staticmethod
    def _settled(stacks):
        (stack,) = stacks.describe_stacks(StackName=STACK)["Stacks"]
        return None if stack["StackStatus"].endswith("IN_PROGRESS") else stack

    def _zipped(self, name):
        """The binary as Lambda gets it, without its symbols where they can be taken off: they are most of it."""
        binary = os.path.join(BINARIES, name)
        if shutil.which("strip"):
            stripped = os.path.join(self.folder, name)
            subprocess.run(["strip", "-o", stripped, binary], check=True)
            binary = stripped
        with open(binary, "rb") as file:
            code = file.read()
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            entry = zipfile.ZipInfo("bootstrap")
            entry.external_attr = 0o755 << 16
            archive.writestr(entry, code)
        return package.getvalue()

    def configure(self, ringcentral):
        """What an operator does after the first deployment: a custom domain, a tenant, a token."""
        gateways = self._client("apigatewayv2")
        (api,) = [one["PhysicalResourceId"] for one in self.resources if one["LogicalResourceId"] == "HttpApi"]
        gateways.create_domain_name(DomainName="127.0.0.1")
        gateways.create_api_mapping(DomainName="127.0.0.1", ApiId=api, Stage="$default")
        # The simulator's demo app.
        credentials = {
            "server_url": ringcentral.url,
            "client_id": "trunkline-demo-client",
            "client_secret": "trunkline-demo-secret",
            "jwt": "trunkline-demo-jwt",
        }
        keys = {"current": {"id": "1", "secret": secrets.token_hex(32)}}
        secret = json.dumps({"ringcentral": credentials, "webhooks": keys})
        name = f"{self.outputs['TenantSecretPrefix']}{TENANT}"
        self.aws.ask("secretsmanager.CreateSecret", {"Name": name, "SecretString": secret})
        self._told_of_its_tenant()
        self.issued = self.issue()

    def _told_of_its_tenant(self):
        """The deployment has no tenant at first. What an update tells it has to reach what runs: the alias, not only `$LATEST`."""
        before = self._published()
        self._change("second", "UPDATE", PublicUrl=self.url, RenewalSchedule=self.renewal, Tenants=TENANT)
        after = self._published()
        renew = f"{STACK}-renew"
        assert after[renew][1]["TRUNKLINE_TENANTS"] == TENANT, f"live has {after[renew]}"
        assert after[renew][0] != before[renew][0], "no version was published"
        untouched = {name: one for name, one in after.items() if name != renew}
        assert untouched == {name: before[name] for name in untouched}, f"{before} became {after}"
        self._world.figure("published for a changed parameter", "renew, and nothing else")

    def _published(self):
        """Which version `live` points to, and the variables it has, by function."""
        functions, published = self._client("lambda"), {}
        for one in self.resources:
            if one["ResourceType"] == "AWS::Lambda::Function":
                name = one["PhysicalResourceId"]
                version = functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
                settings = functions.get_function_configuration(FunctionName=name, Qualifier=version)
                published[name] = version, settings["Environment"]["Variables"]
        return published

    # --- what nobody waits for

    def schedule(self, name):
        return self._client("scheduler").get_schedule(Name=name)

    def wake(self, function, dead_letters):
        """Invokes a function as a scheduler does, which hears nothing of what comes of it. The emulator's CloudFormation leaves
        `DeadLetterConfig` out, and its aliases know nothing of one: it is set here, on the version that is not published."""
        functions, name = self._client("lambda"), f"{STACK}-{function}"
        dead = self.queue_attributes(dead_letters)["QueueArn"]
        functions.update_function_configuration(FunctionName=name, DeadLetterConfig={"TargetArn": dead})
        with open(os.path.join(ROOT, "events", function, "schedule.json"), "rb") as payload:
            functions.invoke(FunctionName=name, InvocationType="Event", Payload=payload.read())

    # --- containers

    def containers(self):
        """Process ids of the functions that were woken, by the function's name."""
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8") as text:
                    parent = int(text.read().rpartition(")")[2].split()[1])
                if parent == self.processes[0].child.pid:
                    name = self._environment(pid)["AWS_LAMBDA_FUNCTION_NAME"]
                    found.setdefault(name.removeprefix(f"{STACK}-"), []).append(int(pid))
            except (OSError, KeyError):
                pass  # it has ended, or has not begun
        return found

    def woken(self, function):
        """How many processes a function has."""
        return len(self.containers()[function])

    @staticmethod
    def _environment(pid):
        with open(f"/proc/{pid}/environ", encoding="utf-8") as text:
            return dict(one.split("=", 1) for one in text.read().split("\0") if "=" in one)

    def as_function(self, name):
        """The AWS as this function sees it: with the credentials of its role."""
        environment = self._environment(self.containers()[name][0])
        names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
        return Signed(self._endpoint, *(environment[one] for one in names))

    def die_amid(self, work, late=False):
        """Does the work, and kills the dispatcher while the write that is the event is under way, or just after it. What
        announces the event is written before, and passes."""
        self._line.hold("DynamoDB_20120810.PutItem", late, b"attribute_not_exists")
        work()
        poll("the write is under way", self._line.held, every=0.01)
        killed = self.containers()["dispatch"]
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        poll("they are dead", lambda: not set(killed) & set(self.containers().get("dispatch", [])))
        self._line.release()

    # --- logs

    def logged(self):
        """Every line that a function has written, by function."""
        logs, prefix = self._client("logs"), f"/aws/lambda/{STACK}-"
        groups = logs.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]
        lines = {}
        for group in groups:
            name = group["logGroupName"]
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=name)
            events = [event["message"] for page in pages for event in page["events"]]
            platform = ("START RequestId: ", "END RequestId: ", "REPORT RequestId: ")
            lines[name.removeprefix(prefix)] = [one for one in events if not one.startswith(platform)]
        return lines
