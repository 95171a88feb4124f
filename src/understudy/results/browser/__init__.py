"""The browser of many runs: rows from runs or from files, as one sheet, shown in one section.

`of_runs` and `of_files` make the sheet; `observed` computes what it says; `section` draws it, and
`page/browser.js` answers to the reader.
"""
