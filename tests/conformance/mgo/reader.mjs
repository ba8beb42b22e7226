// Give resources to the parser of a PGO, and say what it makes of each: what a person would read, and its complaints.
// In: `node reader.mjs PARSER`, with a list of bundles as texts on standard input. Out: a list per bundle, as JSON.
import { pathToFileURL } from 'node:url';
import { readFileSync } from 'node:fs';

const parser = await import(pathToFileURL(process.argv[2]));
const bundles = JSON.parse(readFileSync(0, 'utf8'));

let complaints = [];
console.error = (...said) => complaints.push(said.map(String).join(' '));
console.warn = console.error;

function read(resource) {
    complaints = [];
    try {
        const known = parser.getMgoResource(resource);
        if (!known) return { id: resource.id, known: false, complaints };
        const card = parser.getCard(known);
        const details = JSON.stringify(parser.getDetails(known));
        return { id: resource.id, known: true, title: card.title, details: JSON.parse(details), complaints };
    } catch (error) {
        return { id: resource.id, known: false, complaints: [...complaints, String(error)] };
    }
}

const answers = bundles.map((text) => parser.getBundleResources(parser.losslessParse(text)).map(read));
process.stdout.write(JSON.stringify(answers));
