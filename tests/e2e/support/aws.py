"""The embedded AWS on the wire, as another tool would use it: queues, secrets, faults."""

import json

from .wire import call


class Aws:
    """An endpoint that speaks AWS."""

    def __init__(self, url, key):
        self.url, self.key = url, key

    def ask(self, target, body):
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": target,
            "Authorization": f"AWS4-HMAC-SHA256 Credential={self.key}/20260101/us-east-1/x/aws4_request, "
            "SignedHeaders=host, Signature=0",
        }
        answer = call("POST", self.url, json.dumps(body).encode(), headers)
        assert answer.status == 200, answer
        return answer.json

    def _control(self):
        """What the control pages ask for."""
        return {"Authorization": f"Bearer {self.key}"}

    def depth(self, queue="trunkline-events"):
        """Messages in a queue: those that wait, and those that somebody works on."""
        url = self.ask("AmazonSQS.GetQueueUrl", {"QueueName": queue})["QueueUrl"]
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.ask("AmazonSQS.GetQueueAttributes", {"QueueUrl": url, "AttributeNames": names})
        return sum(int(found["Attributes"][name]) for name in names)

    def dead_letters(self):
        return self.depth("trunkline-events-dlq")

    def asked(self, target):
        """How often an operation was asked for."""
        return call("GET", f"{self.url}/_aws/stats", headers=self._control()).json["requests"].get(target, 0)

    def sent(self):
        """How many messages were ever sent to a queue."""
        return self.asked("AmazonSQS.SendMessage")

    def faults(self, **change):
        answer = call("POST", f"{self.url}/_aws/faults", change, self._control())
        assert answer.status == 200, answer
        return answer.json
