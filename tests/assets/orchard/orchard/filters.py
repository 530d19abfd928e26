__all__ = [
    "weight",  # used by templates
    "colour",
]


def weight(grams):
    return f"{grams / 1000:.1f} kg"


def colour(name):
    return name.lower()


def _hidden():
    return None
