"""Stories register here, in the order of their files."""

STORIES = []


def story(title, waits=False):
    """Marks a function of one argument, its world, as a story. One that mostly waits is told beside the others."""

    def register(tell):
        STORIES.append((title, tell, waits))
        return tell

    return register
