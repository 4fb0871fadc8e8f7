"""Workbooks, XLSX and ODS, read in a process of their own.

A workbook is an archive of XML in which two megabytes can stand for billions of cells, and readers
of such files are known to end the whole process. So `child` reads in a process with bounded memory
and time, after `precheck` has looked at the archive; `reading` starts it and hands on rows of text.
Nothing here is imported that the child does not need: it starts in a fraction of a second.
"""
