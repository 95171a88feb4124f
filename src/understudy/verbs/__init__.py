"""What understudy can be asked to do: the one path behind the command line and behind Python.

Both give values by dotted key and get typed answers; what is printed is their own affair. Modules
that take time are imported when they are needed, so that mistakes and help need not wait for them.
"""

from understudy.verbs.checking import images_checked
from understudy.verbs.importing import brought
from understudy.verbs.predicting import Predicted, predicted
from understudy.verbs.reporting import browsed, reported
from understudy.verbs.staging import done
from understudy.verbs.starting import started
from understudy.verbs.studying import carried_out, planned, told

__all__ = [
    "Predicted",
    "brought",
    "browsed",
    "carried_out",
    "done",
    "images_checked",
    "planned",
    "predicted",
    "reported",
    "started",
    "told",
]
