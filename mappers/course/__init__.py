"""A course: a programme applied to one client from a day on, with all that was changed since.

    applied(programme, start, …) -> Course           the days of every moment
    paused / resumed / moved / declined / taken_back / stopped(course, …) -> Course
    standing(course, answered, talked, today) -> (Standing, …)    where each moment is
    resources_of(course, …) -> (CarePlan, Tasks)      what is written; `course_of(care_plan)` reads it back

Days are days in the client's own time zone, given by the caller: nothing here reads a clock.
"""

from mappers.course.answers import answered_in, sent_in
from mappers.course.applying import applied
from mappers.course.changing import NotPossible, declined, moved, paused, resumed, stopped, taken_back
from mappers.course.model import Answered, Asked, Course, CourseEvent, Planned, Standing
from mappers.course.reading import course_of, is_course
from mappers.course.shapes import CATEGORY
from mappers.course.standing import is_over, standing
from mappers.course.tasks import as_decided, asked_for, moment_of, task_changes, tasks_of
from mappers.course.writing import care_plan_of

__all__ = [
    "CATEGORY",
    "Answered",
    "Asked",
    "Course",
    "CourseEvent",
    "NotPossible",
    "Planned",
    "Standing",
    "answered_in",
    "applied",
    "as_decided",
    "asked_for",
    "care_plan_of",
    "course_of",
    "declined",
    "is_course",
    "is_over",
    "moment_of",
    "moved",
    "paused",
    "resumed",
    "sent_in",
    "standing",
    "stopped",
    "taken_back",
    "task_changes",
    "tasks_of",
]
