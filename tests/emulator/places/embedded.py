"""The gateway in one process, with the AWS that is embedded in it."""

from support import poll
from support.gateway import Gateway

from .operated import Operated


# Seconds; VISIBILITY_SECONDS of infra/local/src/event_source.rs.
MADE_WITH = 30


class Embedded(Operated, Gateway):
    title = "trunkline and its embedded AWS"
    # What refuses a request without a token, and one with a wrong token.
    refusals = (401, 401)
    trust = None
    lacks = {
        "template": "one process deploys no template",
        "door": "one process has no door in front of its functions: each looks at the token itself",
        "roles": "the embedded AWS has no IAM",
        "asynchronous": "one process has no dead letters of schedules: what failed is in its log, and tried by the next turn",
        "late": "the embedded AWS can delay a request, but not an answer",
        "logs": "one process has one log",
    }

    def __init__(self, world):
        self._folder = world.folder_of("trunkline")
        world.keep(self)
        self.processes = []

    def prepare(self, ringcentral):
        Gateway.__init__(self, self._folder, ringcentral=ringcentral.url)
        self.options += ["--renewal-schedule", self.renewal]
        self.start()

    def configure(self, _):
        self.issued = self.issue()

    def woken(self, _):
        """How many processes a function has."""
        return 1

    def die_amid(self, work, late=False):
        """Does the work, and kills the process while the dispatcher's first write is under way."""
        assert not late
        target = "DynamoDB_20120810.PutItem"
        self.aws.faults(latency_ms={target: 60_000})
        before = self.aws.asked(target)
        work()
        poll("the work has begun", lambda: self.aws.asked(target) > before, every=0.01)
        # It starts over the queue it has made, and over no other.
        hidden = self.queue_attributes("events")["VisibilityTimeout"]
        self.hide_for(MADE_WITH)
        self.kill()
        self.start()
        self.hide_for(hidden)
