// Runs views with sof-js, HL7's reference implementation: `node reference.mjs FOLDER JOB RESULT`; see run.py.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [folder, job, result] = process.argv.slice(2);
const { evaluate } = await import(pathToFileURL(`${folder}/src/index.js`));
const { views, resources } = JSON.parse(readFileSync(job, "utf8"));
// Its schema refuses all other elements, the version of FHIR that a shareable view must name among them.
const known = ["id", "title", "status", "description", "name", "url", "resource", "select", "where"];
const tables = {};
for (const view of views) {
  const part = Object.fromEntries(known.filter((name) => name in view).map((name) => [name, view[name]]));
  tables[view.name] = evaluate(
    part,
    resources.filter((one) => one.resourceType === view.resource),
  );
}
writeFileSync(result, JSON.stringify({ tables }));
