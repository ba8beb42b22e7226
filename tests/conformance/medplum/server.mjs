// Medplum's FHIR router with its store in memory, on 127.0.0.1 and a free port: `node server.mjs NODE_MODULES`.
// Ours are only the way over HTTP, what it says that it offers, and that Medplum's own validator is asked before
// each write, as Medplum's server does. Prints `ready BASE`; ends when standard input ends.
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const modules = process.argv[2];
const load = (name) => import(pathToFileURL(`${modules}/@medplum/${name}/dist/esm/index.mjs`));
const { badRequest, created, getStatus, indexSearchParameterBundle, indexStructureDefinitionBundle, validateResource } =
  await load("core");
const { readJson, SEARCH_PARAMETER_BUNDLE_FILES } = await load("definitions");
const { FhirRouter, MemoryRepository } = await load("fhir-router");

const FHIR_JSON = "application/fhir+json";
const PATH = "/fhir/R4";
const TYPES = "fhir/r4/profiles-types.json";
const RESOURCES = "fhir/r4/profiles-resources.json";

class Repository extends MemoryRepository {
  async createResource(resource, options, update) {
    validateResource(resource);
    return super.createResource(resource, options, update);
  }

  async conditionalCreate(resource, search, options) {
    validateResource(resource);
    return super.conditionalCreate(resource, search, options);
  }
}

// What the router's own routes and Medplum's definitions say; the router makes no statement itself. As that of
// Medplum's server does, it offers transactions whatever a project has, and no ids that a client chose.
function statementOf(router, definitions, parameters) {
  const interactions = router.router.routes.map(({ path, data }) => ({ ofType: path.length > 0, ...data }));
  const onType = new Set(interactions.filter((one) => one.ofType).map((one) => one.interaction));
  const concrete = definitions.filter((one) => one.kind === "resource" && !one.abstract);
  return {
    resourceType: "CapabilityStatement",
    status: "active",
    date: new Date().toISOString(),
    kind: "instance",
    fhirVersion: "4.0.1",
    format: ["json"],
    rest: [
      {
        mode: "server",
        resource: concrete.map(({ type }) => ({
          type,
          interaction: [...onType].filter((code) => code !== "operation").map((code) => ({ code })),
          conditionalCreate: true,
          updateCreate: false,
          searchParam: parameters
            .filter((one) => one.base?.includes(type))
            .map((one) => ({ name: one.code, type: one.type })),
        })),
        interaction: [{ code: "batch" }, { code: "transaction" }],
      },
    ],
  };
}

function parsed(body, type) {
  if (!body) {
    return undefined;
  }
  if (!type.startsWith("application/x-www-form-urlencoded")) {
    return JSON.parse(body);
  }
  const form = new URLSearchParams(body);
  return Object.fromEntries([...new Set(form.keys())].map((name) => [name, form.getAll(name)]));
}

async function answerTo(request, body) {
  const url = request.url.slice(PATH.length);
  if (request.method === "GET" && url === "/metadata") {
    return { status: 200, content: statement };
  }
  let sent;
  try {
    sent = parsed(body, request.headers["content-type"] ?? "");
  } catch {
    return { status: 400, content: badRequest("Not JSON") };
  }
  const { method, headers } = request;
  // As in a project without Medplum's feature transaction-bundles: a transaction is done part by part.
  const config = { transactions: false };
  const asked = { method, url, pathname: "", params: {}, query: {}, headers, config };
  const [outcome, resource] = await router.handleRequest({ ...asked, body: sent }, repository);
  return { status: getStatus(outcome), content: resource ?? outcome, isNew: outcome.id === created.id };
}

const definitions = [TYPES, RESOURCES].map(readJson);
const parameters = SEARCH_PARAMETER_BUNDLE_FILES.map(readJson);
definitions.forEach(indexStructureDefinitionBundle);
parameters.forEach(indexSearchParameterBundle);
const resourcesIn = (bundles, type) =>
  bundles.flatMap(({ entry }) => entry.map((one) => one.resource)).filter((one) => one.resourceType === type);
const router = new FhirRouter();
const repository = new Repository();
const statement = statementOf(
  router,
  resourcesIn(definitions, "StructureDefinition"),
  resourcesIn(parameters, "SearchParameter"),
);

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  const { status, content, isNew } = request.url.startsWith(PATH)
    ? await answerTo(request, Buffer.concat(chunks).toString("utf8"))
    : { status: 404, content: {} };
  const version = content.meta?.versionId;
  response.writeHead(status, {
    "Content-Type": FHIR_JSON,
    ...(version ? { ETag: `W/"${version}"` } : {}),
    ...(isNew ? { Location: `${base}/${content.resourceType}/${content.id}/_history/${version}` } : {}),
  });
  response.end(JSON.stringify(content));
});
let base;
server.listen(0, "127.0.0.1", () => {
  base = `http://127.0.0.1:${server.address().port}${PATH}`;
  console.log(`ready ${base}`);
});
process.stdin.resume().on("end", () => process.exit());
