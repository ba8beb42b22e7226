// The one shape of work that the runner gives a driver: read a job file, answer every case, write a result file.
import { readFileSync, writeFileSync } from "node:fs";
import { performance } from "node:perf_hooks";

/** Run `answer(job, case)` for each case of the job named on the command line and write what came out. */
export async function run(prepare) {
  const [input, output] = process.argv.slice(2);
  const job = JSON.parse(readFileSync(input, "utf8"));
  // Engines talk on the console about every expression; their errors still reach stderr.
  console.log = console.info = console.debug = () => {};
  const started = performance.now();
  const answer = await prepare(job);
  const results = [];
  for (const one of job.cases) {
    try {
      results.push({ name: one.name, ...(await answer(one)) });
    } catch (error) {
      results.push({ name: one.name, error: String(error?.stack ?? error) });
    }
  }
  writeFileSync(output, JSON.stringify({ seconds: (performance.now() - started) / 1000, results }));
}
