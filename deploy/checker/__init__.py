"""The page that checks a return in the browser, built from pinned parts into a folder.

`page` is what a person meets: one HTML page, its style and its scripts. `fetching` gets what others
wrote, `building` puts the page together. The gateway serves the folder (`gateway.web.checker`).
"""
