// Smart Forms' renderer: its stores run without a page. A job may also ask for extraction by template.
import { inAppExtract } from "@aehrc/sdc-template-extract";
import { buildForm, getResponse, questionnaireStore, removeEmptyAnswersFromResponse } from "@aehrc/smart-forms-renderer";
import { run } from "./job.mjs";
import { amended, calculatedLinkIds, scoresIn } from "./responses.mjs";

await run(({ questionnaire, extract }) => {
  const linkIds = calculatedLinkIds(questionnaire);
  const scored = async (response) => {
    await buildForm({ questionnaire: structuredClone(questionnaire), questionnaireResponse: structuredClone(response) });
    return structuredClone(getResponse());
  };
  const observationsOf = async (response) => {
    if (!response.item?.length) return []; // the extractor refuses a response without items
    const { extractSuccess, extractResult } = await inAppExtract(response, questionnaire, null);
    if (extractSuccess) return extractResult.extractedBundle;
    throw new Error(`nothing extracted from ${JSON.stringify(response)}: ${JSON.stringify(extractResult)}`);
  };
  return async (one) => {
    let response;
    if (one.before) {
      const before = await scored(one.before);
      await questionnaireStore.getState().updateExpressions(amended(before, one.response, linkIds), false);
      response = structuredClone(getResponse());
    } else {
      response = await scored(one.response);
    }
    const result = { scores: scoresIn(response, linkIds) };
    // What a host saves is the form without its empty items, with who, when and which response it is.
    const filled = removeEmptyAnswersFromResponse(questionnaire, response);
    // What a form without scores is asked for: of the others there are hundreds of responses, and a few are wanted whole.
    if (!extract) return linkIds.length && !one.whole ? result : { ...result, response: filled };
    const { id, authored, subject, status } = one.response;
    const saved = { ...filled, id, authored, subject, status };
    return {
      ...result,
      extracted: await observationsOf(saved),
      // What comes of a host that saves the form as it stands, with items that have no answer.
      extractedFromEmptyItems: await observationsOf({ ...response, id, authored, subject, status }),
    };
  };
});
