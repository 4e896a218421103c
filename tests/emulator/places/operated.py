"""What an operator does with a deployment, wherever it is."""

import hashlib
import hmac
import json
import subprocess

from support.processes import TRUNKLINE

TENANT = "default"


class Operated:
    """Secrets, tokens and queues of a gateway whose names begin with `trunkline`."""

    issued = None
    # As often as EventBridge fires at all: the story waits for it.
    renewal = "rate(1 minute)"

    @property
    def token(self):
        return self.issued

    def secret(self, name):
        found = self.aws.ask("secretsmanager.GetSecretValue", {"SecretId": f"trunkline/{name}"})
        return json.loads(found["SecretString"])

    def issue(self, role="admin"):
        """A bearer token, made of the deployment's secret as the operations guide tells."""
        command = [TRUNKLINE, "token", "--tenant", TENANT, "--role", role, "--for", "operator"]
        command += ["--days", "1", "--key", "-"]
        made = subprocess.run(
            command, input=json.dumps(self.secret("auth")), text=True, check=True, stdout=subprocess.PIPE
        )
        return made.stdout.strip()

    def verification_token(self, address):
        """What RingCentral sends with every delivery to this address; it was given it with the subscription."""
        tenant, subscription = address.split("/")[-2:]
        key = self.secret(f"tenants/{tenant}")["webhooks"]["current"]
        signed = "\n".join([key["id"], tenant, subscription, ""])
        return hmac.new(key["secret"].encode(), signed.encode(), hashlib.sha256).hexdigest()

    def queue(self, name):
        return self.aws.ask("AmazonSQS.GetQueueUrl", {"QueueName": f"trunkline-{name}"})["QueueUrl"]

    def queue_attributes(self, name):
        asked = {"QueueUrl": self.queue(name), "AttributeNames": ["All"]}
        return self.aws.ask("AmazonSQS.GetQueueAttributes", asked)["Attributes"]

    def hide_for(self, seconds):
        """From now on a message that is received and not deleted comes again after so long."""
        change = {"QueueUrl": self.queue("events"), "Attributes": {"VisibilityTimeout": str(seconds)}}
        self.aws.ask("AmazonSQS.SetQueueAttributes", change)

    def dead_letters(self, queue="events-dlq"):
        """Body and reason of every message that was set aside."""
        asked = {"QueueUrl": self.queue(queue), "MaxNumberOfMessages": 10, "VisibilityTimeout": 0}
        asked["MessageAttributeNames"] = ["All"]
        found = self.aws.ask("AmazonSQS.ReceiveMessage", asked).get("Messages", [])
        reasons = [one.get("MessageAttributes", {}).get("reason", {}).get("StringValue") for one in found]
        return [(one["Body"], reason) for one, reason in zip(found, reasons)]
