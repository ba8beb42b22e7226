"""A domain of Koppeltaal 2.0: what its launch says, what our own key reads there, and the few things we tell it.

Nothing clinical goes there: of what people write, a domain hears that a Task went on, and nothing else.
"""
