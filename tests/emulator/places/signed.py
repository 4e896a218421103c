"""The AWS on the wire, with signed requests."""

import json

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from support.aws import Aws
from support.wire import call

REGION = "us-east-1"
SERVICES = {"AmazonSQS": "sqs", "secretsmanager": "secretsmanager", "DynamoDB_20120810": "dynamodb"}


class Signed(Aws):
    """An endpoint that asks who is there."""

    def __init__(self, url, key, secret, session=None):
        super().__init__(url, key)
        self._credentials = Credentials(key, secret, session)

    def attempt(self, target, body):
        """The answer, whatever it is."""
        data = json.dumps(body).encode()
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": target}
        request = AWSRequest("POST", f"{self.url}/", headers, data)
        SigV4Auth(self._credentials, SERVICES[target.split(".")[0]], REGION).add_auth(request)
        return call("POST", f"{self.url}/", data, dict(request.headers.items()))

    def ask(self, target, body):
        answer = self.attempt(target, body)
        assert answer.status == 200, answer
        return answer.json
