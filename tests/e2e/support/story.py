"""Stories register here, in the order of their files."""

STORIES = []


def story(title):
    """Marks a function of one argument, its world, as a story."""

    def register(tell):
        STORIES.append((title, tell))
        return tell

    return register
