"""Sends a file with tuspy, in a process of its own, as it leaves the file open.

tuspy tries a piece again, but not the question how much has arrived: so does whoever calls it.
"""

import sys
import time

from requests.exceptions import RequestException
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError

endpoint, token, file = sys.argv[1:]
client = TusClient(endpoint, headers={"Authorization": f"Bearer {token}"})
url = None
for _ in range(60):
    try:
        uploader = client.uploader(file, url=url, chunk_size=3 << 20, retries=5, retry_delay=0.2)
        url = url or uploader.create_url()
        uploader.set_url(url)
        uploader.upload()
        break
    except (RequestException, TusCommunicationError):
        time.sleep(0.5)
print(uploader.request.response_headers["content-location"])
