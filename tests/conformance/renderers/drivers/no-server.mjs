// Stands for the FHIR client of Smart Forms, which asks a public terminology server for the words of options that have
// none. The driver is off every network: here the server knows none of the codes, and the form must go on without.
export function client() {
  return { request: async () => ({ resourceType: "OperationOutcome", issue: [{ severity: "error", code: "not-found" }] }) };
}
