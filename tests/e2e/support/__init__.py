"""What every story stands on: processes, a client, and a world that cleans up after itself."""

from .story import STORIES, story
from .wire import Answer, at_once, call, raw
from .world import World, poll

__all__ = ["STORIES", "Answer", "World", "at_once", "call", "poll", "raw", "story"]
