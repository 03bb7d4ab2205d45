"""Grades a folder of notebooks: ``lecture11 grade FOLDER``.

What students wrote runs in a sandbox that knows no solutions (``sandbox``, ``runner``); it is read (``intake``), judged
(``submission``) and reported (``report``) outside. ``course.grade`` does it for all of a folder.
"""
