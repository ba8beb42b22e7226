// Runs views with Medplum's engine: `node medplum.mjs NODE_MODULES JOB RESULT`; both files are JSON, see run.py.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [modules, job, result] = process.argv.slice(2);
const { evalSqlOnFhir } = await import(pathToFileURL(`${modules}/@medplum/core/dist/esm/index.mjs`));
const { views, resources } = JSON.parse(readFileSync(job, "utf8"));
const tables = {};
for (const view of views) {
  tables[view.name] = evalSqlOnFhir(
    view,
    resources.filter((one) => one.resourceType === view.resource),
  );
}
writeFileSync(result, JSON.stringify({ tables }));
