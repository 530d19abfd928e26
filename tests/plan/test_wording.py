"""Words that tell things apart."""

from migrator.plan.wording import told_apart


def test_names_are_as_long_as_it_takes_to_tell_them_apart() -> None:
    names = ["a.models.Topic.delete", "a.models.Post.delete", "b.Post.delete", "a.views.show"]
    assert told_apart(names) == ["Topic.delete", "models.Post.delete", "b.Post.delete", "show"]
    assert told_apart(["show", "a.show"]) == ["show", "a.show"]
