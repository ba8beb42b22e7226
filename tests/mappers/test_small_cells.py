"""What is said of few people could be said of one of them."""

from mappers.small_cells import enough


def test_fewer_than_six_people_are_not_shown_and_six_are():
    assert [number for number in range(12) if enough(number)] == [6, 7, 8, 9, 10, 11]
