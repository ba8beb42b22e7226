// Opens a link as a stranger would: `jsqr` reads the QR code in a picture, `kill-the-clipboard` opens the link.
// One job on standard input, {qr, passcode, recipient, embeddedLengthMax?}; one answer on standard output:
// {link, label, resources} or {link, refused, said}. Nothing here knows how our server works.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const packages = createRequire(pathToFileURL(`${process.argv[2]}/x.js`));
const jsQR = packages("jsqr");
const { PNG } = packages("pngjs");
const { SHLViewer } = packages("kill-the-clipboard");

const job = JSON.parse(readFileSync(0, "utf-8"));
const picture = PNG.sync.read(Buffer.from(job.qr, "base64"));
const seen = jsQR(new Uint8ClampedArray(picture.data), picture.width, picture.height);
const answer = { link: seen?.data ?? "" };
try {
  const viewer = new SHLViewer({ shlinkURI: answer.link });
  answer.label = viewer.shl.label;
  const { recipient, passcode, embeddedLengthMax } = job;
  const { fhirResources } = await viewer.resolveSHL({ recipient, passcode, embeddedLengthMax });
  answer.resources = fhirResources;
} catch (error) {
  Object.assign(answer, { refused: error.constructor.name, said: String(error.message) });
}
process.stdout.write(JSON.stringify(answer));
