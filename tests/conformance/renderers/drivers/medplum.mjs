// Medplum's form engine: fills the calculated items of a response as its React form does after each change.
import { run } from "./job.mjs";
import { amended, calculatedLinkIds, scoresIn } from "./responses.mjs";

// The package touches WebSocket while it loads; node 20 has none, and nothing here opens one.
globalThis.WebSocket ??= class {};
const { buildInitialResponse, evaluateCalculatedExpressionsInQuestionnaire } = await import("@medplum/react-hooks");

await run(({ questionnaire }) => {
  const linkIds = calculatedLinkIds(questionnaire);
  const scored = (response) => {
    const form = buildInitialResponse(questionnaire, structuredClone(response));
    evaluateCalculatedExpressionsInQuestionnaire(questionnaire.item, form);
    return form;
  };
  return (one) => {
    const response = one.before ? amended(scored(one.before), one.response, linkIds) : one.response;
    const filled = scored(response);
    // Of a form without scores the response is asked for; of the others there are hundreds, and a few are wanted whole.
    return { scores: scoresIn(filled, linkIds), ...(linkIds.length && !one.whole ? {} : { response: filled }) };
  };
});
