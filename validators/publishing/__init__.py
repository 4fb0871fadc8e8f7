"""The standard, published: pages for people, and the same in the forms that programs read.

Pure: from the standard and the folder of its data to paths and bytes. What is exported to a folder
and what a gateway serves are these very bytes.
"""

from validators.publishing.site import publish, published

__all__ = ["publish", "published"]
