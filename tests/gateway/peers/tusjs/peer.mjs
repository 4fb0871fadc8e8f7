// Sends a file with tus-js-client and prints the path of the submission it became.
import { readFileSync } from "node:fs";
import { Upload } from "tus-js-client";

const [endpoint, token, file, chunk] = process.argv.slice(2);
let submission = null;
new Upload(readFileSync(file), {
  endpoint,
  chunkSize: chunk === "all" ? Infinity : Number(chunk),
  retryDelays: Array(60).fill(500),
  headers: { Authorization: `Bearer ${token}` },
  metadata: { filename: "return.pgp", filetype: "application/pgp-encrypted" },
  onAfterResponse: (_request, response) => {
    submission = response.getHeader("Content-Location") ?? submission;
  },
  onError: (error) => {
    console.error(error.message);
    process.exit(1);
  },
  onSuccess: () => console.log(submission),
}).start();
