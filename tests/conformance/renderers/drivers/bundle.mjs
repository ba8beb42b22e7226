// Bundle the Smart Forms driver for node: the packages import style sheets and fonts, which mean nothing there.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const [entry, outfile, packages] = process.argv.slice(2);
await build({
  entryPoints: [entry],
  outfile,
  nodePaths: [packages],
  bundle: true,
  alias: { fhirclient: fileURLToPath(new URL("no-server.mjs", import.meta.url)) },
  platform: "node",
  format: "esm",
  logLevel: "error",
  loader: { ".css": "empty", ".woff": "empty", ".woff2": "empty" },
  banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  define: { "process.env.NODE_ENV": '"production"' },
});
