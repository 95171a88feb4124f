"""What finished runs are worth: records, rows, tables, findings, and a report; no torch in here.

Everything is read from run directories. A file that is absent, torn or damaged makes a note or an
empty cell, never a crash: a report is most needed when something went wrong.
"""
