"""Living forms: what a person wrote in a form that is never finished ↔ one QuestionnaireResponse with versions.

`content` has what was written, and how it changes; `reading` and `writing` are the two directions. A round trip loses
nothing: what a form does not know, or what another program wrote in its own way, goes back as it came.

Every function takes the form (an `Instrument` of kind `living`) as data and knows none by name: a new form is a file in
`questionnaires/definitions/`.
"""

from __future__ import annotations

from mappers.living.content import Content, Row, field_name, field_names
from mappers.living.reading import content_of, from_plan
from mappers.living.writing import Written, form_identifier, response_of

__all__ = [
    "Content",
    "Row",
    "Written",
    "content_of",
    "field_name",
    "field_names",
    "form_identifier",
    "from_plan",
    "response_of",
]
