"""A story of many steps over one world; the first that is not true ends it."""

STEPS = []


def step(title, needs=None):
    """Marks a function of one argument, the tale, as the next step. A place may lack what it needs."""

    def register(tell):
        STEPS.append((title, needs, tell))
        return tell

    return register


class Tale:
    """What the steps hand on to each other."""

    def __init__(self, world, place):
        self.world, self.place = world, place
